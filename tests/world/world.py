"""One hub, its group and its Chef Server, with the whole app at work on them."""

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from labswarm.ledger_memory import MemoryLedger
from labswarm.notes_memory import MemoryNotebook
from labswarm.passes_memory import MemoryPasses
from labswarm.seats import Seat
from labswarm.snapshots_memory import MemorySnapshots
from labswarm_lab.nodes.simulated import command_of
from labswarm_node import manager, node
from labswarm_node.hub_twin import HubTwin
from labswarm_node.join_secret import JoinSecret
from labswarm_node.snapshot import snapshot_of
from labswarm_node.swarm import Server
from labswarm_node.twin import TOKEN, EngineTwin, SwarmTwin
from tests.world import template
from tests.world.agents import Machine, SsmTwin
from tests.world.auto_scaling import LAUNCHING, TERMINATING, AutoScalingTwin, Group, Hook, Instance
from tests.world.chef import ChefTwin
from tests.world.faults import Faults
from tests.world.functions import function_names, load, quiet
from tests.world.interpreter import Execution, Failure, Interpreter
from tests.world.virtual_time import VirtualTime

CLUSTER, ASG, HUB = "lab", "labswarm-lab-workers", "i-0fedcba9876543210"
BOOT_S = 45.0
_GIB = 2**30
_SEAT, _OVERHEAD = Seat(_GIB // 2, 250_000_000), Seat(_GIB // 2, 0)
_WORKER = (2 * _GIB, 2_000_000_000)
_HUB_CONFIG = {"api_url": "http://127.0.0.1:8081/hub/api", "token_file": "/nowhere"}
_LASTS_S = {"labswarm-node-bootstrap": 20.0, "labswarm-node-pull": 5.0}
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)


class World:
    """A cluster of no worker, its app deployed. The same `seed` makes the same world.

    `hook_s` is the heartbeat timeout of both hooks; `unordered` makes everything take a little
    time, drawn anew each time, so that what happens at once does so in every order.
    """

    def __init__(
        self, seed: int = 0, *, hook_s: int = 600, ticks: bool = False, unordered: bool = True
    ) -> None:
        quiet()
        self._folder = tempfile.TemporaryDirectory(prefix="labswarm-world-")
        self.root = Path(self._folder.name)
        self.draw = random.Random(seed)  # noqa: S311  # a world to be had again, no secret
        self.time = VirtualTime()
        self.faults = Faults()
        self._unordered = unordered
        self.chef = ChefTwin()
        self.swarm = SwarmTwin(now=self.time.now)
        self.ledger = MemoryLedger()
        self.snapshots = MemorySnapshots()
        self.engines: dict[str, EngineTwin] = {HUB: self.swarm.found(HUB, *_WORKER)}
        self.hub = HubTwin(frozenset(f"s{n}" for n in range(200)), self._seat, self._unseat)
        self.groups = AutoScalingTwin(self.time, self.draw, self._boot, self._end, self.tell)
        self.ssm = SsmTwin(self.time, template.documents(), self._tool, self._lasts)
        self.alarms: list[str] = []
        self.interpreter = Interpreter(
            self.time, template.machines(), self._invoke, self.draw, self._changed
        )
        self._handlers = load(function_names(), self._adapters(), self._client)
        self._found()
        if ticks:
            self._every(60, lambda: self.call("decide_nodes", {"detail-type": "Scheduled Event"}))
            self._every(300, lambda: self.start("labswarm-reconcile", _PASS))
        self._every(10, self._look)

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.time.close()
        self._folder.cleanup()

    # What a test does.

    @property
    def group(self) -> Group:
        return self.groups.groups[ASG]

    def scale(self, desired: int) -> None:
        """Have the group hold so many instances."""
        self.groups.set_desired_capacity(ASG, desired)

    def opened(self, count: int, within_s: float = 900) -> list[str]:
        """Scale to so many workers and wait until all are open; their instance ids."""
        self.scale(count)
        assert self.time.run_until(lambda: len(self.open_workers()) == count, within_s), self.told()
        self.settle()
        return self.open_workers()

    def open_workers(self) -> list[str]:
        """The instances in service whose nodes are ready and active."""
        active = {
            n.instance_id
            for n in self.swarm.nodes()
            if (n.role, n.state, n.availability) == ("worker", "ready", "active")
        }
        return [
            i.instance_id
            for i in self.group.instances.values()
            if i.state == "InService" and i.instance_id in active
        ]

    def settle(self, within_s: float = 3600) -> bool:
        """Wait until no machine runs and no instance is on its way; whether it came to that."""
        return self.time.run_until(lambda: not self.busy(), within_s)

    def busy(self) -> list[str]:
        """What is still on its way."""
        return [
            *(e.arn for e in self.interpreter.executions.values() if e.status == "RUNNING"),
            *(
                f"{i.instance_id} {i.state}"
                for i in self.group.instances.values()
                if i.state not in ("InService", "Warmed:Stopped")
            ),
        ]

    def tell(self, event: Mapping[str, Any]) -> None:
        """EventBridge gets an event: it starts what the template's rules say."""
        whole = {
            "version": "0",
            "id": f"event-{self.draw.getrandbits(32):08x}",
            "account": "123456789012",
            "region": "eu-west-1",
            "time": self._iso(),
            "resources": [],
            **event,
        }
        for delay_s in self.faults.deliveries(whole, self.draw):
            self.time.spawn(lambda: self.deliver(whole), "event", delay_s)

    def deliver(self, event: Mapping[str, Any]) -> list[Execution]:
        """Start what the rules say for a whole event."""
        return [
            self.start(machine, event)
            for machine, pattern in template.rules()
            if pattern.matches_event(event)
        ]

    def start(self, machine: str, given: Any, name: str | None = None) -> Execution:
        """Start an execution of a machine."""
        return self.interpreter.start(machine, given, name)

    def call(self, function: str, event: Any) -> Any:
        """Call a function as a schedule does."""
        return self._handlers[function](event)

    def warn(self, instance_id: str, kind: str = "interruption") -> None:
        """EC2 takes a spot instance back in two minutes, or may soon."""
        detail: dict[str, str] = {"instance-id": instance_id}
        name = "EC2 Instance Rebalance Recommendation"
        if kind == "interruption":
            name = "EC2 Spot Instance Interruption Warning"
            detail["instance-action"] = "terminate"
            self.time.spawn(lambda: self.kill(instance_id), "interruption", 120)
        self.tell({"source": "aws.ec2", "detail-type": name, "detail": detail})

    def kill(self, instance_id: str) -> None:
        """An instance's machine ends at once; its group finds out a little later."""
        if instance_id in self.ssm.machines:
            self._end(instance_id)
            self.time.spawn(lambda: self.groups.lost(instance_id), "health check", 30)

    def sit(self, student: str) -> None:
        """A student starts a server."""
        self.hub.start(student, "")

    def executions(self, machine: str) -> list[Execution]:
        """All executions of a machine, in the order in which they began."""
        return [e for e in self.interpreter.executions.values() if e.machine == machine]

    def told(self) -> str:
        """The world in some lines, for a test that failed."""
        nodes = [
            f"{n.instance_id} {n.state} {n.availability}"
            for n in self.swarm.nodes()
            if n.role == "worker"
        ]
        return json.dumps(
            {
                "at": self.time.now(),
                "instances": {i.instance_id: i.state for i in self.group.instances.values()},
                "endings": self.group.endings,
                "nodes": nodes,
                "clients": sorted(self.chef.clients),
                "chef nodes": sorted(self.chef.nodes),
                "executions": [
                    f"{e.machine} {e.name} {e.status} {e.error or ''} {e.cause or ''}: "
                    f"{' '.join(e.entered)}"
                    for e in self.interpreter.executions.values()
                ],
            },
            indent=1,
        )

    # What the app meets.

    def _adapters(self) -> dict[str, Any]:
        return {
            "clock.WallClock": lambda: self.time,
            "ledger_dynamodb.DynamoLedger": lambda *_: self.ledger,
            "passes_dynamodb.DynamoPasses": lambda *_, kept=MemoryPasses(): kept,
            "snapshots_dynamodb.DynamoSnapshots": lambda *_: self.snapshots,
            "notes_dynamodb.DynamoNotebook": lambda *_, kept=MemoryNotebook(): kept,
            "launches_dynamodb.DynamoLaunches": lambda *_: self,
            "chef.ChefServer": self.chef.server,
        }

    def durations_s(self, cluster: str) -> list[float]:
        """As DynamoLaunches."""
        claims = [self.ledger.read(i, "launch") for i in self.group.endings]
        return [
            float(c.closed_at - c.opened_at)
            for c in claims
            if c and c.phase == "joined" and c.closed_at is not None
        ]

    def _client(self, service: str, **_: Any) -> Any:
        clients = {"autoscaling": self.groups, "ssm": self.ssm, "stepfunctions": self, "sns": self}
        return self.faults.client(service, clients.get(service, object()), self._pause)

    # The rest of boto3's clients that the app uses: stepfunctions and sns.

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return {"status": self.interpreter.executions[executionArn].status}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        execution = self.start("labswarm-lab-hours", json.loads(input), name)
        return {"executionArn": execution.arn}

    def publish(self, TopicArn: str, Subject: str, Message: str) -> dict[str, Any]:  # noqa: N803
        self.alarms.append(f"{Subject}\n{Message}")
        return {}

    # What there is besides.

    def _found(self) -> None:
        hooks = (Hook("launch", LAUNCHING, 600), Hook("terminate", TERMINATING, 600, "CONTINUE"))
        self.groups.groups[ASG] = Group(ASG, hooks)
        self.ssm.machines[HUB] = Machine(HUB, online=True)
        self._configure(HUB, "hub")
        self.ssm.parameters[f"/labswarm/clusters/{CLUSTER}"] = json.dumps(
            {
                "name": CLUSTER,
                "asg": ASG,
                "manager": HUB,
                "chef": {
                    "url": "https://chef.invalid",
                    "organization": None,
                    "ca_pem": None,
                    "admin": "labswarm",
                    "key_id": "alias/labswarm-chef-admin",
                },
                "seat": {"memory_bytes": _SEAT.memory_bytes, "nano_cpus": _SEAT.nano_cpus},
                "overhead": {"memory_bytes": _OVERHEAD.memory_bytes, "nano_cpus": 0},
                "headroom": 0,
                "images": ["registry.invalid/notebook:1"],
                "empty_deadline_s": 60,
                "timetable": None,
            }
        )

    def _configure(self, instance_id: str, role: str) -> None:
        folder = self.root / instance_id
        folder.mkdir()
        (folder / "key.pem").write_bytes(_KEY)
        config = {
            "cluster": CLUSTER,
            "instance_id": instance_id,
            "role": role,
            "region": "eu-west-1",
            "docker_host": "unix:///nowhere",
            "advertise_address": "10.98.0.10",
            "join_secret": "join",
            "images": [],
            "chef": {
                "url": "https://chef.invalid",
                "node_name": f"{CLUSTER}-{instance_id}",
                "key_file": str(folder / "key.pem"),
                "client": "chef-client",
            },
            "hub": _HUB_CONFIG,
            "state_dir": str(folder / "moves"),
        }
        (folder / "node.json").write_text(json.dumps(config))

    def _boot(self, instance: Instance) -> None:
        instance_id = instance.instance_id
        machine = self.ssm.machines[instance_id] = Machine(instance_id)
        self._configure(instance_id, "worker")
        self.engines[instance_id] = self.swarm.start(instance_id, *_WORKER, cluster=CLUSTER)

        def up() -> None:
            machine.online = self.ssm.machines.get(instance_id) is machine

        self.time.spawn(up, f"boot of {instance_id}", BOOT_S)

    def _end(self, instance_id: str) -> None:
        machine = self.ssm.machines.pop(instance_id, None)
        if machine is not None:
            machine.online = False
            self.engines.pop(instance_id).kill()

    def _tool(
        self, instance_id: str, script: str, environment: Mapping[str, str]
    ) -> tuple[int, str]:
        words = command_of(script, environment)
        where = {"LABSWARM_NODE_CONFIG": str(self.root / instance_id / "node.json")}
        tool, *arguments = words
        if tool == "labswarm-node":
            around = node.Surroundings(
                lambda _: self.engines[instance_id],
                lambda _: JoinSecret(TOKEN, self.swarm.manager),
                self.chef.converge,
            )
            answer = node.answer(arguments, {**environment, **where}, around)
        else:
            surroundings = manager.Surroundings(lambda _: self.swarm, lambda _: self.hub)
            answer = manager.answer(arguments, {**environment, **where}, surroundings)
        return answer.exit_code, answer.line + "\n"

    def _lasts(self, document: str) -> float:
        return _LASTS_S.get(document, 0.5) + (self.draw.random() if self._unordered else 0)

    def _pause(self) -> None:
        """An API call takes a little, so that others come in between."""
        if self._unordered:
            self.time.sleep(self.draw.uniform(0.005, 0.1))

    def _seat(self, user: str, name: str) -> None:
        """As the hub's seating: the fullest open node with a free seat, else in line."""
        server = _server(user, name)
        used = Counter(t.node_id for t in self.swarm.tasks() if t.node_id)
        room = {n.node_id: n for n in snapshot_nodes(self)}
        free = [n for n in room.values() if n.seats > used[n.node_id]]
        if free:
            best = max(free, key=lambda n: (used[n.node_id], n.node_id))
            self.swarm.place(server, best.node_id, CLUSTER)
        else:
            self.swarm.line_up(server, CLUSTER)

    def _unseat(self, user: str, name: str) -> None:
        self.swarm.end(_server(user, name))

    def _look(self) -> None:
        """The snapshot service, and the line that moves up."""
        for task in [t for t in self.swarm.tasks() if t.waits]:
            self.swarm.end(task.server)
            self._seat(task.server.user, task.server.name)
        nodes, tasks = self.swarm.nodes(), self.swarm.tasks()
        taken = (self.time.now(), nodes, tasks, _SEAT, _OVERHEAD)
        self.snapshots.write(snapshot_of(CLUSTER, *taken))

    def _every(self, seconds: float, act: Callable[[], Any]) -> None:
        def go_on() -> None:
            while True:
                self.time.sleep(seconds)
                act()

        self.time.spawn(go_on, f"every {seconds} s")

    def _invoke(self, execution: Execution, state: str, function: str, payload: Any) -> Any:
        folder = template.functions()[function]
        if self.faults.doubles(execution.machine, state):
            self.start(execution.machine, execution.given)
        fault = self.faults.of(execution.machine, state)
        self._pause()
        return self.faults.call(
            fault, self.time, template.timeouts()[folder], lambda: self._run(folder, payload)
        )

    def _run(self, folder: str, payload: Any) -> Any:
        try:
            return self._handlers[folder](payload)
        except Exception as error:
            raise Failure(type(error).__name__, str(error)) from error

    def _changed(self, execution: Execution) -> None:
        self.tell(
            {
                "source": "aws.states",
                "detail-type": "Step Functions Execution Status Change",
                "detail": {
                    "executionArn": execution.arn,
                    "stateMachineArn": execution.arn.replace("execution", "stateMachine").rsplit(
                        ":", 1
                    )[0],
                    "name": execution.name,
                    "status": execution.status,
                    "input": json.dumps(execution.given),
                },
            }
        )

    def _iso(self) -> str:
        return datetime.fromtimestamp(self.time.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_PASS = {"cluster": None, "dry_run": False}


def _server(user: str, name: str) -> Server:
    return Server(user, name, f"jupyter-{user}{'--' + name if name else ''}")


def snapshot_nodes(world: World) -> list[Any]:
    """The open workers with their seats."""
    taken = (world.time.now(), world.swarm.nodes(), [], _SEAT, _OVERHEAD)
    seen = snapshot_of(CLUSTER, *taken)
    return [n for n in seen.nodes if (n.state, n.availability) == ("ready", "active")]
