"""One hub, its group and its Chef Server, with the whole app at work on them."""

import json
import random
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args

from labswarm.errors import LabswarmError
from labswarm.readiness.check import Checked
from labswarm.readiness.facts import Readiness
from tests.simulation import template
from tests.simulation.agents import SsmTwin
from tests.simulation.auto_scaling import (
    LAUNCHING,
    TERMINATING,
    AutoScalingTwin,
    Group,
    Hook,
    refused,
)
from tests.simulation.chef import ChefTwin
from tests.simulation.classroom import OVERHEAD, SEAT, Classroom, WatchedSwarm
from tests.simulation.faults import Fault, Faults, Kind
from tests.simulation.functions import function_names, load, quiet
from tests.simulation.interpreter import Execution, Failure, Interpreter
from tests.simulation.lambdas import Lambdas
from tests.simulation.virtual_time import VirtualTime
from tests.simulation.workers import Workers
from tests.twins.bookings import MemoryBookings
from tests.twins.breaker import MemoryBreakers
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.ledger import MemoryLedger
from tests.twins.passes import MemoryPasses
from tests.twins.reports import MemoryReports
from tests.twins.snapshot import MemorySnapshots
from tests.twins.state import MemoryLabHoursStates
from tests.twins.usages import MemoryUsages

CLUSTER, ASG, HUB = "lab", "labswarm-lab-workers", "i-0fedcba9876543210"
EMPTY_DEADLINE_S = 60
RECONCILE = "labswarm-reconcile"
_ALWAYS = "heartbeat"
_ASYNC_RETRIES_S = (60.0, 120.0)
PASS = {"cluster": None, "dry_run": False}
# By the stand-ins for their ARNs in the functions' environments (tests.simulation.functions).
_MACHINES = {
    "lab_hours_machine": "labswarm-lab-hours",
    "reconcile_machine": RECONCILE,
    "launch_machine": "labswarm-node-launch",
    "terminate_machine": "labswarm-node-terminate",
    "spot_machine": "labswarm-spot-interruption",
}
_LASTS_S = {"labswarm-node-bootstrap": 20.0, "labswarm-node-pull": 5.0}


class Simulation:
    """A cluster of no worker, its app deployed. The same `seed` makes the same simulation.

    `hook_s` is the heartbeat timeout of both hooks. Without `ticks` nothing is decided by itself:
    of the app's schedules only the hooks' heartbeats run.
    `unordered` makes everything take a little time, drawn each time, so that simultaneous events
    happen in every order.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        hook_s: int = 600,
        empty_deadline_s: int = EMPTY_DEADLINE_S,
        ticks: bool = False,
        unordered: bool = True,
    ) -> None:
        quiet()
        self._folder = tempfile.TemporaryDirectory(prefix="labswarm-simulation-")
        self.draw = random.Random(seed)  # noqa: S311  # a simulation to be had again, no secret
        self.time = VirtualTime()
        self.faults = Faults()
        self._unordered = unordered
        self._empty_deadline_s = empty_deadline_s
        self.chef = ChefTwin()
        self.swarm = WatchedSwarm(now=self.time.now)
        self.ledger = MemoryLedger()
        self.bookings = MemoryBookings()
        self._states, self.passes = MemoryLabHoursStates(), MemoryPasses()
        self._usages, self._reports = MemoryUsages(), MemoryReports()
        self._slots, self._breakers = MemoryHubSlots(), MemoryBreakers()
        self._snapshots = MemorySnapshots()
        self.alarms: list[str] = []
        self.events: list[Mapping[str, Any]] = []
        """Every event that was delivered, in order."""
        self.answers: list[tuple[str, Any]] = []
        self.dead_letters: list[tuple[str, str]] = []
        self.warned: dict[str, float] = {}
        """The functions' answers to events, and the events they gave up, in order."""
        self.classroom = Classroom(
            self.swarm, self._snapshots, CLUSTER, self.time.now, self._seats_short
        )
        hub = self.classroom.hub
        root = Path(self._folder.name)
        self.workers = Workers(root, self.time, self.swarm, hub, self.chef)
        self.ssm = SsmTwin(
            self.time, template.documents(), self.workers.tool, self._lasts, self.put_event
        )
        self.workers.ssm = self.ssm
        self.workers.put_event = self.put_event
        self.ssm.paged = lambda: self.faults.calls.update(["ssm.page"])
        self.groups = AutoScalingTwin(
            self.time,
            self.draw,
            booted=lambda instance: self.workers.boot(instance.instance_id, CLUSTER),
            ended=self.workers.end,
            notify=self.put_event,
        )
        self.interpreter = Interpreter(
            self.time, template.machines(), self._invoke, self.draw, self._changed
        )
        self.lambdas = Lambdas(self.time, self.draw if unordered else None)
        self.entered: Callable[[Execution, str], str | None] = lambda *_: None
        """Called with each call of a Task's function; it returns the fault to have, or None."""
        self._handlers = load(function_names(), self._adapters(), self._client)
        self.workers.found(HUB, CLUSTER)
        self._describe()
        hooks = (
            Hook("launch", LAUNCHING, hook_s),
            Hook("terminate", TERMINATING, hook_s, "CONTINUE"),
        )
        self.groups.groups[ASG] = Group(ASG, hooks)
        self._every(10, self.classroom.look)
        for whose, (seconds, given) in template.schedules().items():
            if ticks or whose == _ALWAYS:
                self._every(seconds, lambda whose=whose, given=given: self._scheduled(whose, given))  # type: ignore[misc]

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.time.close()
        self._folder.cleanup()

    # A test's actions.

    @property
    def group(self) -> Group:
        return self.groups.groups[ASG]

    def scale(self, desired: int) -> None:
        """Have the group hold so many instances."""
        self.groups.set_desired_capacity(ASG, desired)

    def opened(self, count: int, within_s: float = 900) -> list[str]:
        """Scale to so many workers and wait until all are open; their instance ids."""
        self.scale(count)
        assert self.time.run_until(lambda: len(self.open_workers()) == count, within_s), (
            self.report()
        )
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
        """Events still on their way."""
        return [
            *(e.arn for e in self.interpreter.executions.values() if e.status == "RUNNING"),
            *(
                f"{i.instance_id} {i.state}"
                for i in self.group.instances.values()
                if i.state not in ("InService", "Warmed:Stopped")
            ),
        ]

    def traces(self) -> list[str]:
        """Objects that should not be there, missing ones, and unfinished work."""
        live = {i.instance_id for i in self.group.instances.values() if i.state == "InService"}
        names = {f"{CLUSTER}-{instance_id}" for instance_id in live}
        workers = [n for n in self.swarm.nodes() if n.role == "worker"]
        swarm = {str(n.instance_id) for n in workers}
        ready = {str(n.instance_id) for n in workers if n.state == "ready"}
        claims = self.ledger.about(self.group.endings.keys() | live)
        return [
            *self.busy(),
            *(f"swarm: {one}" for one in sorted(swarm ^ live)),
            *(f"lost: {one}" for one in sorted((swarm & live) - ready)),
            *(f"client: {one}" for one in sorted(self.chef.clients.keys() ^ names)),
            *(f"chef node: {one}" for one in sorted(self.chef.nodes.keys() ^ names)),
            *(f"agent: {one}" for one in sorted((self.ssm.machines.keys() - {HUB}) ^ live)),
            *(f"service: {one}" for one in self.classroom.lost()),
            *(f"open claim: {c.instance_id} {c.transition}" for c in claims if not c.closed),
        ]

    def put_event(self, event: Mapping[str, Any]) -> None:
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

    def deliver(self, event: Mapping[str, Any]) -> None:
        """Start and call what the template's rules say for a whole event."""
        self.events.append(event)
        for machine in template.started_by(event):
            self.start(machine, event)
        for function in template.called_by(event):
            self.call(function, event)

    def start(self, machine: str, given: Any, name: str | None = None) -> Execution:
        """Start an execution of a machine."""
        return self.interpreter.start(machine, given, name)

    def call(self, function: str, event: Any) -> None:
        """Call a function as an event or a schedule does: it is tried again after 1 and 2 minutes.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
        """

        def attempts() -> None:
            pauses_s = [*_ASYNC_RETRIES_S[: template.async_retries(function)], None]
            for pause_s in pauses_s:
                try:
                    answer = self.lambdas.queued(function, lambda: self._handlers[function](event))
                except LabswarmError as error:
                    if pause_s is None:
                        self.dead_letters.append((function, str(error)))
                    else:
                        self.time.sleep(pause_s)
                else:
                    self.answers.append((function, answer))
                    return

        self.time.spawn(attempts, function)

    def warn(self, instance_id: str, kind: str = "interruption") -> None:
        """EC2 takes a spot instance back in two minutes, or may soon."""
        detail: dict[str, str] = {"instance-id": instance_id}
        name = "EC2 Instance Rebalance Recommendation"
        if kind == "interruption":
            name = "EC2 Spot Instance Interruption Warning"
            detail["instance-action"] = "terminate"
            self.warned[instance_id] = self.time.now()
            self.time.spawn(lambda: self.kill(instance_id), "interruption", 120)
        self.put_event({"source": "aws.ec2", "detail-type": name, "detail": detail})

    def kill(self, instance_id: str) -> None:
        """An instance's machine ends at once; its group finds out a little later."""
        self.warned.pop(instance_id, None)
        if self.workers.end(instance_id):
            self.time.spawn(lambda: self.groups.lost(instance_id), "health check", 30)

    def cut(self, instance_id: str) -> None:
        """An instance's link is down; its group does not see it."""
        self.workers.cut(instance_id)

    def heal(self, instance_id: str) -> None:
        """The link of one that was cut off is up again."""
        self.workers.heal(instance_id)

    def executions(self, machine: str) -> list[Execution]:
        """All executions of a machine, in the order in which they began."""
        return [e for e in self.interpreter.executions.values() if e.machine == machine]

    def report(self) -> str:
        """The simulation in some lines, for a test that failed."""
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

    # The app's surroundings.

    def _adapters(self) -> dict[str, Any]:
        return {
            "clock.WallClock": lambda: self.time,
            # Its commands last longer than SSM does not know them.
            "aws.agent.until_known": lambda _: None,
            "aws.dynamodb.ledger.DynamoLedger": lambda *_: self.ledger,
            "aws.dynamodb.passes.DynamoPasses": lambda *_: self.passes,
            "aws.dynamodb.snapshot.DynamoSnapshots": lambda *_: self._snapshots,
            "aws.dynamodb.bookings.DynamoBookings": lambda *_: self.bookings,
            "aws.dynamodb.state.DynamoLabHoursStates": lambda *_: self._states,
            "aws.dynamodb.usages.DynamoUsages": lambda *_: self._usages,
            "aws.dynamodb.reports.DynamoReports": lambda *_: self._reports,
            "aws.dynamodb.hub_slots.DynamoHubSlots": lambda *_: self._slots,
            "aws.dynamodb.breaker.DynamoBreakers": lambda *_: self._breakers,
            "aws.dynamodb.launches.DynamoLaunches": lambda *_: self,
            "chef.server.ChefServer": self.chef.server,
            "readiness.check.Checks": lambda *_, **__: self,
        }

    def check(self, _: str, now: float) -> Checked:
        """As Checks: images, quotas and file systems are not simulated, and nothing is found."""
        return Checked(Readiness(now), ())

    def durations_s(self, cluster: str) -> list[float]:
        """As DynamoLaunches."""
        claims = [self.ledger.read_claim(i, "launch") for i in self.group.endings]
        return [
            float(c.closed_at - c.opened_at)
            for c in claims
            if c and c.phase == "joined" and c.closed_at is not None
        ]

    def _client(self, service: str, **_: Any) -> Any:
        clients = {"autoscaling": self.groups, "ssm": self.ssm}
        clients |= dict.fromkeys(("ec2", "stepfunctions", "sns"), self)
        twin = clients.get(service, object())
        return self.faults.client(service, twin, self._pause, self.time.now)

    # The rest of boto3's clients that the app uses: ec2, stepfunctions and sns.

    def describe_spot_instance_requests(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        assert "marked-for-termination" in Filters[0]["Values"]
        requests = [
            {
                "InstanceId": instance_id,
                "Status": {
                    "Code": "marked-for-termination",
                    "UpdateTime": datetime.fromtimestamp(at, UTC),
                },
            }
            for instance_id, at in self.warned.items()
        ]
        return {"SpotInstanceRequests": requests}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        return {"status": self.interpreter.executions[executionArn].status}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        execution = self.start(_MACHINES[stateMachineArn], json.loads(input), name)
        return {"executionArn": execution.arn}

    def send_task_success(self, taskToken: str, output: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        return self._answered(self.interpreter.answer(taskToken, json.loads(output)))

    def send_task_failure(self, taskToken: str, error: str, cause: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        return self._answered(self.interpreter.answer(taskToken, failure=Failure(error, cause)))

    def _answered(self, waited: bool) -> dict[str, Any]:
        if not waited:
            raise refused("SendTaskSuccess", "TaskTimedOut", "Task Timed Out")
        return {}

    def publish(self, TopicArn: str, Subject: str, Message: str) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        self.alarms.append(f"{Subject}\n{Message}")
        return {}

    # The other parts.

    def _describe(self) -> None:
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
                "seat": {"memory_bytes": SEAT.memory_bytes, "nano_cpus": SEAT.nano_cpus},
                "overhead": {"memory_bytes": OVERHEAD.memory_bytes, "nano_cpus": 0},
                "headroom": 0,
                "images": ["registry.invalid/notebook:1"],
                "empty_deadline_s": self._empty_deadline_s,
                "timetable": None,
            }
        )

    def _lasts(self, document: str) -> float:
        return _LASTS_S.get(document, 0.5) + (self.draw.random() if self._unordered else 0)

    def _pause(self) -> None:
        """An API call takes a little, so that others come in between."""
        if self._unordered:
            self.time.sleep(self.draw.uniform(0.005, 0.1))

    def _seats_short(self) -> None:
        detail = {"cluster": CLUSTER}
        self.put_event({"source": "labswarm.hub", "detail-type": "SeatsShort", "detail": detail})

    def _scheduled(self, whose: str, given: Any) -> None:
        if whose in template.machines():
            self.start(whose, given)
        else:
            self.call(whose, {**given, "time": self._iso()})

    def _every(self, seconds: float, act: Callable[[], Any]) -> None:
        def go_on() -> None:
            while True:
                self.time.sleep(seconds)
                act()

        self.time.spawn(go_on, f"every {seconds} s")

    def _invoke(self, execution: Execution, state: str, function: str, payload: Any) -> Any:
        folder = template.functions()[function]
        kind = self.entered(execution, state)
        if kind == "duplicate" or self.faults.doubles(execution.machine, state):
            self.start(execution.machine, execution.given)
        fault = self.faults.of(execution.machine, state)
        if kind in get_args(Kind):
            fault = Fault(execution.machine, state, cast("Kind", kind), 0)
        self._pause()
        return self.lambdas.invoked(
            folder,
            lambda: self.faults.call(
                fault, self.time, template.timeouts()[folder], lambda: self._run(folder, payload)
            ),
        )

    def _run(self, folder: str, payload: Any) -> Any:
        try:
            return self._handlers[folder](payload)
        except Exception as error:
            answer = {"errorMessage": str(error), "errorType": type(error).__name__}
            raise Failure(type(error).__name__, json.dumps(answer)) from error

    def _changed(self, execution: Execution) -> None:
        self.put_event(
            {
                "source": "aws.states",
                "detail-type": "Step Functions Execution Status Change",
                "detail": {
                    "executionArn": execution.arn,
                    "stateMachineArn": template.machine_arn(execution.machine),
                    "name": execution.name,
                    "status": execution.status,
                    "input": json.dumps(execution.given),
                    "error": execution.error,
                    "cause": execution.cause,
                },
            }
        )

    def _iso(self) -> str:
        return datetime.fromtimestamp(self.time.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
