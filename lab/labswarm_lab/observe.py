"""Looking at a lab that is up: asks AWS, the Swarm, the Chef Server and the hub."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labswarm.aws.signing import KmsSigner
from labswarm.chef.server import ChefServer
from labswarm.errors import Transient
from labswarm_lab import ground
from labswarm_lab.hub import is_healthy
from labswarm_lab.lab import Lab, Running
from labswarm_lab.nodes.settings import STAND_IN, NodesSettings
from labswarm_lab.status import Status, alarms_view, asg_view, chef_view, executions_view, merge
from labswarm_lab.swarm_seen import clusters, swarm_of, workers_seen

UNREACHABLE = "unreachable"
"""The value of `chef` while the Chef Server does not answer."""


def observe(lab: Lab) -> Status:
    """The state of the lab. Raises Refusal when it is not up."""
    running = lab.running
    chef = _chef(lab, running)
    settings = NodesSettings.read(lab.place)
    known: tuple[Sequence[str], Sequence[str]] = (), ()
    answers = "stand-in" if settings.chef_client == STAND_IN else settings.chef_client
    try:
        known = chef.list_clients(), chef.list_nodes()
    except Transient:
        answers = UNREACHABLE
    swarm = swarm_of(lab)
    nodes, tasks = swarm.nodes(), swarm.tasks()
    autoscaling, ec2 = lab.client("autoscaling"), lab.client("ec2")
    return Status(
        hub={"url": running.hub, "healthy": bool(running.hub) and is_healthy(str(running.hub))},
        emulator=running.emulator,
        latency=running.latency,
        homes=str(lab.homes),
        swarm="simulated" if running.simulated else "real",
        chef=answers,
        nodes=[
            node
            for cluster in clusters(lab)
            for node in merge(
                cluster.name,
                asg_view(autoscaling, ec2, cluster.asg),
                workers_seen(lab, cluster, nodes, tasks),
                chef_view(cluster.name, *known),
            )
        ],
        executions=executions_view(lab.client("stepfunctions")),
        alarms=alarms_view(lab.client("cloudwatch")),
    )


def print_status(status: Status) -> None:
    """The state as a person reads it."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None)
    groups = len({node.cluster for node in status.nodes}) > 1
    for column in (
        *(["group"] if groups else []),
        "instance",
        "AWS",
        "Swarm",
        "Chef",
        "seats",
        "age",
    ):
        table.add_column(column, no_wrap=True, overflow="ignore")
    for node in status.nodes:
        seats = "-" if node.seats is None else f"{node.seats_used} of {node.seats}"
        age = "-" if node.age_s is None else f"{node.age_s} s"
        swarm = ", ".join(side for side in (node.swarm, node.availability) if side)
        sides = (node.asg, swarm, node.chef)
        name = ([node.cluster] if groups else []) + [node.instance_id]
        table.add_row(*name, *(side or "-" for side in sides), seats, age)
    healthy = "healthy" if status.hub["healthy"] else "not healthy"
    hub = f"{status.hub['url']} ({healthy})" if status.hub["url"] else "none"
    kinds = f"swarm: {status.swarm}   chef: {status.chef}   latency: {status.latency}"
    console.print(f"hub: {hub}   {kinds}")
    console.print(table)
    counts = status.executions
    console.print(f"executions: {counts['running']} running, {counts['failed']} failed")
    for alarm in status.alarms:
        console.print(f"[red]ALARM[/] {escape(alarm['name'])} since {alarm['since']}")
        console.print(f"  {escape(alarm['reason'])}")
    if not status.alarms:
        console.print("alarms: none")


def _chef(lab: Lab, running: Running) -> ChefServer:
    signer = KmsSigner(lab.client("kms"), ground.CHEF_KEY_ALIAS)
    return ChefServer(
        running.chef, running.chef_organization, ground.CHEF_ADMIN, signer, running.chef_ca_pem
    )
