"""Looking at a lab that is up: asks AWS, the Swarm, the Chef Server and the hub."""

from typing import Any

from docker import APIClient
from rich.console import Console
from rich.table import Table

from labswarm.chef import ChefServer
from labswarm.chef_signing import KmsSigner
from labswarm.seats import Seat, seats_of
from labswarm.ssm import SsmClusters
from labswarm_hub import tasks
from labswarm_lab import ground
from labswarm_lab.hub import is_healthy
from labswarm_lab.lab import Lab, Running
from labswarm_lab.nodes.settings import STAND_IN, NodesSettings
from labswarm_lab.nodes.simulated import swarm_seen
from labswarm_lab.status import (
    Status,
    SwarmView,
    asg_view,
    chef_view,
    executions_view,
    merge,
)

_INSTANCE = "labswarm.instance"


def observe(lab: Lab) -> Status:
    """The state of the lab. Raises Refusal when it is not up."""
    running = lab.running
    chef = _chef(lab, running)
    settings = NodesSettings.read(lab.place)
    nodes = chef.list_nodes()
    measure = sizes(lab)
    swarm = _simulated_swarm(lab, *measure) if running.simulated else _swarm(lab, running, *measure)
    return Status(
        hub={"url": running.hub, "healthy": bool(running.hub) and is_healthy(str(running.hub))},
        plane=running.plane,
        homes=str(lab.homes),
        swarm="simulated" if running.simulated else "real",
        chef="stand-in" if settings.chef_client == STAND_IN else settings.chef_client,
        nodes=merge(
            asg_view(lab.client("autoscaling"), lab.client("ec2"), ground.asg_name(lab.cluster)),
            swarm,
            chef_view(lab.cluster, chef.list_clients(), nodes),
        ),
        executions=executions_view(lab.client("stepfunctions")),
    )


def sizes(lab: Lab) -> tuple[Seat, Seat]:
    """A seat of the lab's cluster, and a node's overhead, as its description says."""
    described = SsmClusters(lab.client("ssm")).read(lab.cluster)
    seat, overhead = described.seat, described.overhead
    return (
        Seat(seat.memory_bytes, seat.nano_cpus),
        Seat(overhead.memory_bytes, overhead.nano_cpus),
    )


def print_status(status: Status) -> None:
    """The state as a person reads it."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None)
    for column in ("instance", "AWS", "Swarm", "availability", "Chef", "seats", "age"):
        table.add_column(column, no_wrap=True, overflow="ignore")
    for node in status.nodes:
        seats = "-" if node.seats is None else f"{node.seats_used} of {node.seats}"
        age = "-" if node.age_s is None else f"{node.age_s} s"
        sides = (node.asg, node.swarm, node.availability, node.chef)
        table.add_row(node.instance_id, *(side or "-" for side in sides), seats, age)
    healthy = "healthy" if status.hub["healthy"] else "not healthy"
    hub = f"{status.hub['url']} ({healthy})" if status.hub["url"] else "none"
    console.print(f"hub: {hub}   swarm: {status.swarm}   chef: {status.chef}")
    console.print(table)
    counts = status.executions
    console.print(f"executions: {counts['running']} running, {counts['failed']} failed")


def _chef(lab: Lab, running: Running) -> ChefServer:
    signer = KmsSigner(lab.client("kms"), ground.CHEF_KEY_ALIAS)
    return ChefServer(running.chef, None, ground.CHEF_ADMIN, signer, running.chef_ca_pem)


def _swarm(lab: Lab, running: Running, seat: Seat, overhead: Seat) -> dict[str, SwarmView]:
    """The workers as the manager knows them, by instance id."""
    socket = lab.place.docker_socket(running.manager)
    api: Any = APIClient(base_url=f"unix://{socket}", timeout=10)  # `tasks` has no types
    servers = api.tasks(filters={"label": "labswarm.user"})
    found: dict[str, SwarmView] = {}
    # Of several of one instance the one that is ready, or else the newest: the others are ghosts.
    by_life = sorted(
        api.nodes(filters={"role": "worker"}),
        key=lambda node: (node["Status"]["State"] == "ready", node["CreatedAt"]),
    )
    for node in by_life:
        description, spec = node["Description"], node["Spec"]
        engine_labels = description.get("Engine", {}).get("Labels") or {}
        instance = (spec.get("Labels") or {}).get(_INSTANCE) or engine_labels.get(_INSTANCE)
        found[instance or node["ID"]] = SwarmView(
            state=node["Status"]["State"],
            availability=spec["Availability"],
            seats=tasks.seated(node, seat, overhead).seats,
            seats_used=sum(
                task.get("NodeID") == node["ID"] and not tasks.has_ended(task) for task in servers
            ),
        )
    return found


def _simulated_swarm(lab: Lab, seat: Seat, overhead: Seat) -> dict[str, SwarmView]:
    """What the Swarm's twin wrote down last, by instance id."""
    swarm = swarm_seen(NodesSettings.read(lab.place))
    return {
        node.instance_id or node.node_id: SwarmView(
            state=node.state,
            availability=node.availability,
            seats=seats_of(node.memory_bytes, node.nano_cpus, seat, overhead),
            seats_used=len(swarm.servers_on(node.node_id)),
        )
        for node in swarm.nodes()
        if node.role == "worker"
    }
