"""Founding the lab's Swarm on the hub's machine: the hub's cookbook does it on AWS."""

from labswarm.errors import Permanent
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_node.engine_api import EngineApi
from labswarm_node.join_secret import JoinSecret

NETWORK = "labswarm"
_POOL = "10.97.0.0/16"
# A /24 runs out near 250 students and nodes.
_SUBNET_SIZE = 20
_S = 10**9


def found_swarm(settings: NodesSettings, manager: str) -> JoinSecret:
    """Make the Swarm and its network on the hub's machine, whose instance id is `manager`.

    Existing parts stay, so that it can be repeated. Returns what the workers join with. Raises
    Transient when its Docker Engine does not answer.
    """
    api = EngineApi(f"unix://{settings.place.docker_socket(manager)}")
    state = api.call("GET", "/info")["Swarm"]["LocalNodeState"]
    if state == "inactive":
        _init(api, settings)
    elif state != "active":
        raise Permanent(f"the manager's Swarm is {state}; bring the lab down and up again")
    if not any(network["Name"] == NETWORK for network in api.call("GET", "/networks")):
        api.call(
            "POST",
            "/networks/create",
            body={"Name": NETWORK, "Driver": "overlay", "Attachable": True, "CheckDuplicate": True},
        )
    token = api.call("GET", "/swarm")["JoinTokens"]["Worker"]
    return JoinSecret(token, f"{settings.manager_address}:2377")


def _init(api: EngineApi, settings: NodesSettings) -> None:
    """`docker swarm init`; with a short heartbeat a node that is gone is soon known to be down."""
    address = settings.manager_address
    api.call(
        "POST",
        "/swarm/init",
        body={
            "ListenAddr": f"{address}:2377",
            "AdvertiseAddr": address,
            "DataPathAddr": address,
            "DefaultAddrPool": [_POOL],
            "SubnetSize": _SUBNET_SIZE,
            "Spec": {
                "Dispatcher": {"HeartbeatPeriod": settings.heartbeat_s * _S},
                "Orchestration": {"TaskHistoryRetentionLimit": 1},
            },
        },
        timeout_s=30,
    )
