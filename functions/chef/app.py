"""Register, remove and list the identities of nodes at their cluster's Chef Server."""

from collections.abc import Iterable
from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.chef.server import ChefServer
from labswarm.clock import WallClock
from labswarm.cluster import INSTANCE_ID, Cluster, node_name
from labswarm.errors import BadInput, Permanent
from labswarm.lifecycle.work import Work
from labswarm.reconcile.run_pass import own_identities

AWS = Wiring()
CLUSTERS = AWS.clusters()
SIGNERS = AWS.signers()
CLOCK = WallClock()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do one of these things; each can be repeated.

    `{"do": "register", "work", "public_key": <PEM>}` -> `{"client": <name>}`: a client, no node;
    Permanent when the time to go forward is over.
    `{"do": "remove", "work"}` -> `{"removed": [<name>]}`: the node's client and node object.
    `{"do": "remove_orphans", "cluster", "instances": [<id>, ...]}` -> `{"removed": [<name>, ...]}`.
    `{"do": "list", "cluster"}` -> `{"clients": [<instance id>, ...], "nodes": [...]}`, in full.
    `{"do": "stay_active"}` -> `{}`: nothing. A function in a VPC that nobody calls for weeks
    becomes Inactive, and its first calls fail.
    """
    match event.get("do"):
        case "stay_active":
            return {}
        case "register":
            return _register(Work.parse(event.get("work")), event.get("public_key"))
        case "remove":
            work = Work.parse(event.get("work"))
            return _remove(CLUSTERS.read_cluster(work.cluster), [work.instance_id])
        case "remove_orphans":
            cluster = CLUSTERS.read_cluster(str(event.get("cluster")))
            return _remove(cluster, _instances(event.get("instances")))
        case "list":
            return _list(CLUSTERS.read_cluster(str(event.get("cluster"))))
    known = "register, remove, remove_orphans, list or stay_active"
    raise BadInput("do", f"is {event.get('do')!r}; it has to be {known}")


def _register(work: Work, public_key: object) -> dict[str, Any]:
    if work.left_s("forward_by", CLOCK.now()) <= 0:
        raise Permanent("too late: the rest of the hook's time is for undoing the launch")
    if not isinstance(public_key, str) or not public_key.startswith("-----BEGIN PUBLIC KEY-----"):
        raise BadInput("public_key", "is not the PEM text that the node answers")
    _server(CLUSTERS.read_cluster(work.cluster)).create_client(work.node_name, public_key)
    return {"client": work.node_name}


def _remove(cluster: Cluster, instances: Iterable[str]) -> dict[str, Any]:
    """Remove both identities of each instance; one that does not exist is success."""
    server = _server(cluster)
    names = [node_name(cluster.name, instance_id) for instance_id in instances]
    for name in names:
        # The client first: a chef-client that still runs would create the node object again.
        server.delete_client(name)
        server.delete_node(name)
    logger.info("removed", extra={"cluster": cluster.name, "names": names})
    return {"removed": names}


def _list(cluster: Cluster) -> dict[str, Any]:
    server = _server(cluster)
    return own_identities(cluster.name, server.list_clients(), server.list_nodes())


def _instances(values: object) -> list[str]:
    if not isinstance(values, list) or not all(
        isinstance(value, str) and INSTANCE_ID.fullmatch(value) for value in values
    ):
        raise BadInput("instances", f"is {values!r}; it has to be a list of instance ids")
    return values


def _server(cluster: Cluster) -> ChefServer:
    chef = cluster.chef
    signer = SIGNERS.of(chef.key_id)
    return ChefServer(chef.url, chef.organization, chef.admin, signer, chef.ca_pem)
