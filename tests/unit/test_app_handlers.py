"""The functions as Lambda calls them: the handler of each app.py, over AWS's twin in process."""

import json
import time
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from tests.support.app_twins import DESCRIPTION, INSTANCE, MANAGER, OTHER, OWNER, TwinClock, event
from tests.support.handlers import FUNCTIONS, KEY, Context, fresh, ledger, load
from tests.twins.agent import TwinAgent
from tests.twins.chef import TwinChefServer
from tests.twins.groups import TwinGroups
from tests.twins.hooks import TwinHooks
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.tasks import TwinTasks

from labswarm.clock import WallClock
from labswarm.commands.starting import Starting
from labswarm.commands.steps import Commands
from labswarm.errors import BadInput, Permanent, Transient
from labswarm.groups import Member, Roster
from labswarm.lifecycle.ledger import Claim
from labswarm.lifecycle.work import Work

pytestmark = pytest.mark.usefixtures("account", "table")

NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py"))
WITH_WORK = [n for n in NAMES if 'event.get("work")' in (FUNCTIONS / n / "app.py").read_text()]


def claimed(name: str = "launch") -> dict[str, Any]:
    app = load("claim")
    app.CLAIMING._hooks = TwinHooks()
    work: dict[str, Any] = app.handler({"event": fresh(name), "execution": OWNER}, Context())
    return work


def claim_in_ledger() -> Claim:
    claim = ledger().read_claim(INSTANCE, "launch")
    assert claim is not None
    return claim


def test_claim_answers_the_work_of_a_launch() -> None:
    work = claimed()

    assert work["claimed"] is True
    assert (work["cluster"], work["instance_id"]) == ("lab", INSTANCE)
    assert (work["transition"], work["owner"]) == ("launch", OWNER)
    assert work["node_name"] == f"lab-{INSTANCE}"
    assert 1790 < work["deadline"] - time.time() <= 1800
    assert claim_in_ledger().beats_until == work["deadline"]
    assert claim_in_ledger().owner == OWNER


def test_claim_lays_a_tombstone_for_a_termination() -> None:
    claimed("terminate")

    assert ledger().is_terminating(INSTANCE)


def test_claim_refuses_a_malformed_event_once_with_its_field(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = fresh("spot_interruption")
    bad["detail"]["instance-id"] = "i-XYZ"

    answer = load("claim").handler({"event": bad, "execution": OWNER}, Context())

    assert (answer["claimed"], answer["field"]) == (False, "detail.instance-id")
    errors = [record.__dict__ for record in caplog.records if record.levelname == "ERROR"]
    assert [error["field"] for error in errors] == ["detail.instance-id"]


def test_claim_fails_at_a_malformed_event_of_a_group_of_ours() -> None:
    bad = fresh("launch")
    bad["detail"]["EC2InstanceId"] = "i-XYZ"

    with pytest.raises(BadInput) as refused:
        load("claim").handler({"event": bad, "execution": OWNER}, Context())

    assert refused.value.field == "detail.EC2InstanceId"


def test_claim_skips_a_test_notification() -> None:
    answer = load("claim").handler(
        {"event": event("test_notification"), "execution": OWNER}, Context()
    )

    assert answer == {"claimed": False, "reason": "a test notification"}


def test_claim_leaves_a_duplicate_with_its_owner() -> None:
    claimed()
    app = load("claim")
    app.CLAIMING._hooks = TwinHooks()

    answer = app.handler({"event": fresh("launch"), "execution": OTHER}, Context())

    assert answer == {"claimed": False, "reason": f"{OWNER} works on it"}


def test_await_agent_answers_when_the_agent_is_online() -> None:
    app, tasks = awaits()

    assert app.handler({"work": claimed(), "token": "t1"}, Context()) == {"online": True}
    assert tasks.ended == {"t1": {"online": True}}


def test_await_agent_leaves_an_agent_that_is_not_there_yet_to_its_event() -> None:
    app, tasks = awaits(offline={INSTANCE})

    assert app.handler({"work": claimed(), "token": "t1"}, Context()) == {"online": False}
    assert tasks.ended == {}
    assert claim_in_ledger().commands["await-agent"].token == "t1"


def test_an_execution_from_before_a_deploy_asks_again_for_an_agent_that_is_not_there_yet() -> None:
    app, _ = awaits(offline={INSTANCE})

    with pytest.raises(Transient, match=INSTANCE):
        app.handler({"work": claimed()}, Context())


def awaits(
    offline: set[str] | None = None, clock: TwinClock | None = None
) -> tuple[Any, TwinTasks]:
    """The function over twins, and the Tasks that wait."""
    app, tasks = load("await_agent"), TwinTasks("t1")
    agent = TwinAgent(offline=offline or set())
    app.STARTING = Starting(ledger(), agent, tasks, clock or WallClock())
    return app, tasks


def test_the_event_of_a_worker_answers_its_task_through_the_function() -> None:
    app, tasks = load("answer"), TwinTasks("t1")
    agent = TwinAgent(offline={INSTANCE})
    app.STARTING = Starting(ledger(), agent, tasks, WallClock())
    app.STARTING.await_agent(Work.parse(claimed()), "t1")

    assert app.handler(event("agent_started"), Context()) == {"answered": False}
    agent.offline.clear()
    assert app.handler(event("agent_started"), Context()) == {"answered": True}
    assert tasks.ended == {"t1": {"online": True}}


def test_a_malformed_event_of_a_worker_is_refused_with_its_field() -> None:
    bad = {**event("agent_started"), "detail": {"instance_id": "i-XYZ"}}

    answer = load("answer").handler(bad, Context())

    assert answer == {"answered": False, "field": "detail.instance_id"}


def command(on: str = "hub", **more: Any) -> tuple[TwinAgent, Any]:
    app, agent = load("command"), TwinAgent()
    agent.ends("command-1", {"servers": []})
    app.TASKS = TwinTasks("t1")
    app.COMMANDS = Commands(agent, app.LEDGER, MemoryHubSlots(), app.TASKS, app.WallClock())
    asked = {
        "work": claimed(),
        "document": "labswarm-manager-pause",
        "on": on,
        "parameters": {"Instance": INSTANCE},
        **more,
    }
    return agent, lambda: app.handler(asked, Context())


@pytest.mark.parametrize(("on", "target"), [("hub", MANAGER), ("node", INSTANCE)])
def test_command_runs_a_document_on_the_node_or_its_hub(on: str, target: str) -> None:
    agent, call = command(on)

    assert call() == {"servers": [], "urgent": False}
    assert [(s.instance_id, s.document) for s in agent.sent] == [(target, "labswarm-manager-pause")]
    assert claim_in_ledger().commands["manager-pause"].command_id == "command-1"


def test_command_answers_its_token_when_it_finds_the_command_ended() -> None:
    agent, call = command(token="t1")

    assert call() == {"answered": False}
    assert call() == {"servers": [], "urgent": False}
    assert len(agent.sent) == 1


def test_command_says_when_ec2_takes_the_instance_back() -> None:
    _, call = command()
    claim = claim_in_ledger()
    ledger().write_claim(replace(claim, urgent=True))

    assert call()["urgent"] is True


def answers() -> tuple[TwinAgent, Any]:
    """The function that answers, a command of a Task that waits with the token t1."""
    agent, call = command(token="t1")
    call()
    app = load("answer")
    app.COMMANDS = Commands(agent, ledger(), MemoryHubSlots(), TwinTasks("t1"), app.WallClock())
    return agent, app


def ended(**detail: Any) -> dict[str, Any]:
    changed = event("command_ended")
    return {**changed, "detail": {**changed["detail"], "command-id": "command-1", **detail}}


def test_answer_ends_the_wait_for_a_command_once() -> None:
    _, app = answers()

    answered = [app.handler(ended(), Context()) for _ in range(2)]

    assert answered == [{"answered": True}, {"answered": False}]
    assert claim_in_ledger().commands["manager-pause"].answered


@pytest.mark.parametrize(
    ("field", "value"),
    [("command-id", None), ("command-id", "a b"), ("instance-id", "i-XYZ"), ("instance-id", 7)],
)
def test_answer_refuses_a_malformed_event_once_with_its_field(field: str, value: object) -> None:
    _, app = answers()

    answer = app.handler(ended(**{field: value}), Context())

    assert answer == {"answered": False, "field": f"detail.{field}"}


def test_command_runs_nowhere_else() -> None:
    _, call = command("moon")

    with pytest.raises(BadInput) as refused:
        call()

    assert refused.value.field == "on"


@pytest.mark.parametrize("asked", [{"until": "forward_by"}, {"unless_terminating": True}])
def test_command_sends_nothing_when_the_termination_has_begun(asked: dict[str, Any]) -> None:
    """The second is how an execution asks for it that began before a deploy."""
    agent, call = command(**asked)
    ledger().mark_terminating(INSTANCE, int(time.time()))

    with pytest.raises(Permanent, match="termination has begun, so its launch stops"):
        call()

    assert agent.sent == []


def test_the_undoing_is_not_held_up_by_the_tombstone() -> None:
    _, call = command()
    ledger().mark_terminating(INSTANCE, int(time.time()))

    assert call() == {"servers": [], "urgent": False}


def test_chef_registers_a_client_with_the_nodes_own_key() -> None:
    app, chef = load("chef"), TwinChefServer()
    app.ChefServer = chef.at

    answer = app.handler({"do": "register", "work": claimed(), "public_key": KEY}, Context())

    assert answer == {"client": f"lab-{INSTANCE}"}
    assert chef.clients == {f"lab-{INSTANCE}": KEY}


@pytest.mark.parametrize("key", [None, "", "ssh-rsa AAAA", 5])
def test_chef_refuses_a_text_that_is_no_public_key(key: object) -> None:
    asked = {"do": "register", "work": claimed(), "public_key": key}

    with pytest.raises(BadInput) as refused:
        load("chef").handler(asked, Context())

    assert refused.value.field == "public_key"


def test_chef_deletes_the_client_before_the_node() -> None:
    app, chef = load("chef"), TwinChefServer()
    app.ChefServer = chef.at

    app.handler({"do": "remove", "work": claimed()}, Context())

    assert chef.log == [f"client lab-{INSTANCE}", f"node lab-{INSTANCE}"]


@pytest.mark.parametrize("what", [None, "", "delete", 7])
def test_chef_refuses_a_task_that_it_does_not_know(what: object) -> None:
    with pytest.raises(
        BadInput, match=r"do: is .*; it has to be register, remove, .* or stay_active"
    ):
        load("chef").handler({"do": what, "work": claimed()}, Context())


TOKEN = event("launch")["detail"]["LifecycleActionToken"]


def completes(name: str = "complete") -> tuple[ModuleType, TwinHooks, TwinGroups]:
    """A function that completes, the hooks in which TOKEN waits, and the instance's group."""
    app, hooks, groups = load(name), TwinHooks(TOKEN), TwinGroups()
    groups.members[INSTANCE] = Member(DESCRIPTION["asg"], "Pending:Wait")
    app.COMPLETING._hooks, app.COMPLETING._groups = hooks, groups
    return app, hooks, groups


def test_complete_ends_the_wait_and_closes_the_claim() -> None:
    app, hooks, _ = completes()
    work = claimed()

    answer = app.handler({"work": work, "result": "CONTINUE", "phase": "joined"}, Context())

    assert answer == {"completed": 1}
    assert hooks.results == {TOKEN: "CONTINUE"}
    assert claim_in_ledger().phase == "joined"


def test_work_of_a_version_that_no_step_understands_completes_all_the_same() -> None:
    app, hooks, _ = completes()
    work = {name: claimed()[name] for name in ("instance_id", "transition", "owner")}
    work["version"] = 99

    with pytest.raises(BadInput, match=r"work\.version: is 99; this deploy understands 1 and 2"):
        load("command").handler({"work": work}, Context())
    app.handler({"work": work, "result": "ABANDON", "phase": "abandoned"}, Context())

    assert hooks.results == {TOKEN: "ABANDON"}


def ended_badly(**detail: Any) -> dict[str, Any]:
    return {
        **event("execution_failed"),
        "detail": {
            **event("execution_failed")["detail"],
            "executionArn": OWNER,
            "input": json.dumps(fresh("launch")),
            **detail,
        },
    }


def test_the_last_resort_completes_the_hook_that_its_execution_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claimed()
    app, hooks, _ = completes("last_resort")

    answer = app.handler(ended_badly(), Context())

    assert answer == {"done": f"launch of {INSTANCE}: 1 hooks, ABANDON"}
    assert hooks.results == {TOKEN: "ABANDON"}
    assert '"LastResorts":[1.0]' in capsys.readouterr().out


def test_the_last_resort_raises_no_alarm_for_a_completed_hook(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known_launch()
    app, hooks, _ = completes("last_resort")

    assert app.handler(ended_badly(), Context()) == {"done": None}
    assert hooks.waiting == {TOKEN}
    assert "LastResorts" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "value", "results"),
    [
        ("Origin", "Mars", {TOKEN: "ABANDON"}),
        ("LifecycleHookName", "", {TOKEN: "ABANDON"}),
        # No token and no instance: the minute starts its work, since it waits without a claim.
        ("LifecycleActionToken", "short", {}),
        ("EC2InstanceId", "i-XYZ", {}),
    ],
)
def test_the_last_resort_ends_the_wait_of_a_malformed_launch_event_and_names_the_field(
    field: str, value: str, results: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = fresh("launch")
    given["detail"][field] = value
    app, hooks, _ = completes("last_resort")
    messages: list[str] = []
    app.COMPLETING._send_alarm = lambda subject, sentences: messages.append(
        "\n".join([subject, *sentences])
    )

    answer = app.handler(ended_badly(input=json.dumps(given)), Context())

    assert answer["done"]
    assert hooks.results == results
    failed = app.COMPLETING._breakers.read_breaker("lab").failed
    assert failed == (frozenset({INSTANCE}) if results else frozenset())
    assert messages[-1].startswith("labswarm: a lifecycle event of lab is malformed")
    assert f"detail.{field}: is {value!r}" in messages[-1]
    assert '"LastResorts":[1.0]' in capsys.readouterr().out


def test_the_last_resort_leaves_a_malformed_terminate_event_to_the_minute() -> None:
    given = fresh("terminate")
    given["detail"]["Destination"] = "Mars"
    app, hooks, _ = completes("last_resort")
    app.COMPLETING._send_alarm = lambda subject, sentences: None

    answer = app.handler(ended_badly(input=json.dumps(given)), Context())

    assert answer == {"done": f"terminate of {INSTANCE}: unclaimed, the next minute starts it"}
    assert hooks.results == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"detail": None}, "detail"),
        ({"source": "aws.ec2"}, "detail-type"),
        ({"detail-type": "Scheduled Event"}, "detail-type"),
        (ended_badly(status="SUCCEEDED"), "detail.status"),
        (ended_badly(executionArn="arn:aws:s3:::x"), "detail.executionArn"),
        (ended_badly(executionArn=OWNER.replace("labswarm-", "web-")), "detail.executionArn"),
        (ended_badly(input=None), "detail.input"),
        (ended_badly(input="{"), "detail.input"),
        (ended_badly(input="[]"), "event"),
        (ended_badly(input='{"source": "web"}'), "source"),
    ],
)
def test_the_last_resort_refuses_a_malformed_event_once_and_names_the_field(
    change: dict[str, Any], field: str, caplog: pytest.LogCaptureFixture
) -> None:
    claimed()
    app, hooks, _ = completes("last_resort")

    assert app.handler({**ended_badly(), **change}, Context())["field"] == field

    errors = [record.__dict__ for record in caplog.records if record.levelname == "ERROR"]
    assert [error["field"] for error in errors] == [field]
    assert hooks.waiting == {TOKEN}


class Twins:
    """Clusters, groups and their claims as the heartbeat function looks at them."""

    def names(self) -> list[str]:
        return ["gone", "lab"]

    def roster(self, asg: str) -> Roster:
        if asg != DESCRIPTION["asg"]:
            raise Permanent(f"there is no group {asg}")
        return Roster(1, {INSTANCE: "Pending:Wait"})


def test_heartbeats_of_one_cluster_are_sent_though_another_has_no_group() -> None:
    claimed()
    app, hooks = load("heartbeat"), TwinHooks(TOKEN)
    app.CLUSTERS = app.GROUPS = Twins()
    app.HEARTBEATS._hooks = hooks

    with pytest.raises(Transient, match="1 failed; 1 heartbeats were sent"):
        app.handler(event("minute"), Context())
    assert hooks.beats == {TOKEN: 1}

    app.CLUSTERS.names = lambda: ["lab"]
    assert app.handler(event("minute"), Context()) == {"sent": 1, "started": 0}
    assert hooks.beats == {TOKEN: 2}


def test_the_minute_looks_once_at_the_agents_of_all_clusters() -> None:
    work = Work.parse(claimed())
    app, tasks, agent = load("heartbeat"), TwinTasks("t1"), TwinAgent(offline={INSTANCE})
    app.STARTING = Starting(ledger(), agent, tasks, WallClock())
    app.STARTING.await_agent(work, "t1")
    agent.offline.clear()
    app.CLUSTERS, app.GROUPS = Twins(), Twins()
    app.CLUSTERS.names = lambda: ["lab"]
    app.HEARTBEATS._hooks = TwinHooks(TOKEN)

    app.handler(event("minute"), Context())

    assert agent.looks == [{INSTANCE}, {INSTANCE}]
    assert tasks.ended == {"t1": {"online": True}}


def test_a_hook_too_short_for_heartbeats_is_named_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = load("claim")
    app.CLAIMING._hooks = TwinHooks(timeout_s=179)

    work = app.handler({"event": fresh("launch"), "execution": OWNER}, Context())

    (line,) = [record.__dict__ for record in caplog.records if record.levelname == "WARNING"]
    assert (line["hook"], line["timeout_s"], line["least_s"]) == ("launch", 179, 180)
    assert 170 < work["deadline"] - time.time() <= 179
    assert claim_in_ledger().beats_until is None


def test_a_launch_begins_nothing_new_when_only_its_undoing_has_time() -> None:
    work = claimed()
    agent, app = TwinAgent(), load("command")
    app.CLOCK = TwinClock(work["forward_by"])
    app.COMMANDS = Commands(agent, app.LEDGER, MemoryHubSlots(), TwinTasks(), app.CLOCK)
    asked = {"work": work, "document": "labswarm-node-pull", "on": "node", "until": "forward_by"}

    with pytest.raises(Permanent, match="the rest of the hook's time is for undoing the launch"):
        app.handler(asked, Context())
    waiting, _ = awaits(offline={INSTANCE}, clock=app.CLOCK)
    with pytest.raises(Permanent, match="was not online in the hook's time"):
        waiting.handler({"work": work, "token": "t1"}, Context())

    assert agent.sent == []


def test_complete_refuses_another_result() -> None:
    with pytest.raises(BadInput) as refused:
        load("complete").handler({"work": claimed(), "result": "MAYBE"}, Context())

    assert refused.value.field == "result"


def known_launch() -> None:
    work = claimed()
    app, _, _ = completes()
    app.handler({"work": work, "result": "CONTINUE", "phase": "joined"}, Context())


def test_claim_answers_the_work_of_an_interruption_and_lays_a_tombstone() -> None:
    known_launch()

    work = claimed("spot_interruption")

    assert (work["claimed"], work["cluster"], work["transition"]) == (True, "lab", "terminate")
    assert 110 < work["deadline"] - time.time() <= 120
    assert ledger().is_terminating(INSTANCE)


def test_claim_drops_a_notice_to_a_foreign_instance_with_a_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = claimed("spot_interruption")

    why = f"{INSTANCE} is not ours: its group is None"
    assert answer == {"claimed": False, "reason": why}
    assert why in [record.__dict__.get("why") for record in caplog.records]


def test_add_node_adds_one() -> None:
    known_launch()
    app, work = load("add_node"), claimed("rebalance_recommendation")
    app.GROUPS = TwinGroups()

    answers = [app.handler({"work": work}, Context()) for _ in range(2)]

    assert answers == [{"capacity": 3}] * 2
    assert app.GROUPS.asked == ["resize 3"]


@pytest.mark.parametrize("name", WITH_WORK)
def test_a_function_without_work_names_the_missing_field(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        load(name).handler({"do": "remove"}, Context())

    assert refused.value.field == "work"


@pytest.mark.parametrize(
    "name", ["add_node", "claim", "command", "complete", "heartbeat", "last_resort"]
)
def test_a_missing_setting_is_named_at_the_cold_start(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEDGER_TABLE")

    with pytest.raises(BadInput) as refused:
        load(name)

    assert refused.value.field == "LEDGER_TABLE"


@pytest.mark.parametrize("execution", [None, "one", 7])
def test_claim_refuses_a_text_that_is_no_execution(execution: object) -> None:
    with pytest.raises(BadInput) as refused:
        load("claim").handler({"event": fresh("launch"), "execution": execution}, Context())

    assert refused.value.field == "execution"
