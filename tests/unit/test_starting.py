"""An instance's agent is waited for without a function: its event, the minute and the Task's own
look answer, each alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation import template
from tests.simulation.simulation import Simulation
from tests.support.app_twins import INSTANCE, OTHER, event
from tests.support.claims import Bench, read
from tests.twins.agent import TwinAgent
from tests.twins.tasks import TwinTasks

from labswarm.commands.started import DETAIL_TYPE, AgentStarted, source
from labswarm.commands.starting import STEP, Starting
from labswarm.errors import BadInput, Permanent
from labswarm.lifecycle.ledger import Claim
from labswarm.lifecycle.work import Work
from labswarm.names import DEFAULT

LAUNCH, TERMINATE = "labswarm-node-launch", "labswarm-node-terminate"
ONLINE = {"online": True}
# 45 s of a boot, five steps and a completed hook.
WITH_EVENTS_S, MINUTE_S, TASK_S = 100, 60, 120


class Waiting:
    """A launch's claim, whose instance's agent is not online."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.tasks = TwinTasks("t1", "t2")
        self.agent = TwinAgent(offline={INSTANCE})
        work = self.bench.claim(read("launch"))
        assert isinstance(work, Work)
        self.work = work

    @property
    def starting(self) -> Starting:
        return Starting(self.bench.ledger, self.agent, self.bench.tasks, self.bench.clock)

    def claim(self) -> Claim:
        found = self.bench.ledger.read_claim(INSTANCE, "launch")
        assert found is not None
        return found


def test_an_agent_that_is_online_already_answers_at_once() -> None:
    waiting = Waiting()
    waiting.agent.offline.clear()

    assert waiting.starting.await_agent(waiting.work, "t1") is True
    assert waiting.bench.tasks.ended == {"t1": ONLINE}


def test_the_event_answers_when_systems_manager_says_the_same() -> None:
    waiting = Waiting()
    assert waiting.starting.await_agent(waiting.work, "t1") is False

    assert waiting.starting.has_started(INSTANCE) is None
    assert waiting.bench.tasks.ended == {}
    waiting.agent.offline.clear()

    assert waiting.starting.has_started(INSTANCE) is not None
    assert waiting.bench.tasks.ended == {"t1": ONLINE}


def test_an_event_about_an_instance_that_nobody_waits_for_costs_no_look() -> None:
    waiting = Waiting()

    assert waiting.starting.has_started("i-0fffffffffffffff0") is None
    assert waiting.starting.has_started(INSTANCE) is None
    assert waiting.agent.looks == []


def test_an_event_that_comes_again_finds_nobody_who_waits() -> None:
    waiting = Waiting()
    waiting.starting.await_agent(waiting.work, "t1")
    waiting.agent.offline.clear()
    waiting.starting.has_started(INSTANCE)
    looks = len(waiting.agent.looks)

    assert waiting.starting.has_started(INSTANCE) is None
    assert len(waiting.agent.looks) == looks


def test_the_minute_looks_once_at_all_instances_that_are_waited_for() -> None:
    waiting = Waiting()
    waiting.starting.await_agent(waiting.work, "t1")
    claim = waiting.claim()
    waits = replace(claim.commands[STEP], token="t2")
    other = replace(claim, instance_id="i-0fffffffffffffff0", commands={STEP: waits})
    idle = replace(claim, instance_id="i-0eeeeeeeeeeeeeee0", commands={})
    waiting.agent.looks.clear()

    assert waiting.starting.end_waits([claim, other, idle]) == 1

    assert waiting.agent.looks == [{INSTANCE, other.instance_id}]
    assert waiting.bench.tasks.ended == {"t2": ONLINE}


def test_the_claim_forgets_a_token_that_is_answered() -> None:
    waiting = Waiting()
    waiting.starting.await_agent(waiting.work, "t1")
    waiting.agent.offline.clear()

    waiting.starting.has_started(INSTANCE)

    waits = waiting.claim().commands[STEP]
    assert (waits.answered, waits.token) == (True, None)


def test_an_answer_after_the_tasks_time_leaves_the_next_attempts_token() -> None:
    waiting = Waiting()
    waiting.starting.await_agent(waiting.work, "t1")
    before = waiting.claim()
    waiting.starting.await_agent(waiting.work, "t2")
    waiting.agent.offline.clear()

    waiting.starting._end(before)

    assert waiting.claim().commands[STEP].token == "t2"


def test_an_agent_that_is_not_online_in_the_hooks_time_ends_the_launch() -> None:
    waiting = Waiting()
    waiting.bench.clock.sleep(waiting.work.left_s("forward_by", waiting.bench.clock.now()))

    with pytest.raises(Permanent, match="was not online in the hook's time"):
        waiting.starting.await_agent(waiting.work, "t1")


def test_only_the_owner_of_the_claim_waits() -> None:
    waiting = Waiting()

    with pytest.raises(Permanent, match="does not hold this claim"):
        waiting.starting.await_agent(replace(waiting.work, owner=OTHER), "t1")


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        (None, "detail"),
        ({}, "detail.instance_id"),
        ({"instance_id": "i-XYZ"}, "detail.instance_id"),
        ({"instance_id": [INSTANCE]}, "detail.instance_id"),
    ],
)
def test_a_malformed_event_is_refused_with_its_field(detail: object, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        AgentStarted.parse({**event("agent_started"), "detail": detail})

    assert refused.value.field == field


def test_the_sample_event_is_what_a_worker_puts_and_calls_the_function_that_answers() -> None:
    sample = event("agent_started")

    assert (sample["source"], sample["detail-type"]) == (source(DEFAULT), DETAIL_TYPE)
    assert sample["detail"] == AgentStarted(INSTANCE).detail()
    assert template.called_by(sample) == ["answer"]
    for foreign in ({**sample, "source": "labstage.node"}, {**sample, "detail-type": "SeatsShort"}):
        assert template.called_by(foreign) == []


# In the simulation: a worker's agent starts 43 s after its launch and is known 2 s later.


def open_s(simulation: Simulation) -> float:
    """Seconds until a worker is open."""
    began = simulation.time.now()
    simulation.scale(1)
    assert simulation.time.run_until(lambda: bool(simulation.open_workers()), 600)
    return simulation.time.now() - began


def deaf(simulation: Simulation) -> None:
    """EventBridge gets no event of a worker."""
    put = simulation.put_event

    def lose(event: Mapping[str, Any]) -> None:
        if event["source"] != source(DEFAULT):
            put(event)

    simulation.workers.put_event = lose


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation() as made:
        yield made


def test_a_worker_reports_until_its_first_command_comes(simulation: Simulation) -> None:
    assert open_s(simulation) < WITH_EVENTS_S

    reports = [e for e in simulation.events if e["source"] == source(DEFAULT)]
    assert 3 <= len(reports) <= 5
    (execution,) = simulation.executions(LAUNCH)
    assert execution.entered.count("AwaitAgent") == 1


def test_without_any_report_a_worker_opens_a_minute_later(simulation: Simulation) -> None:
    deaf(simulation)

    assert open_s(simulation) < WITH_EVENTS_S + MINUTE_S
    assert [e.status for e in simulation.executions(LAUNCH)] == ["SUCCEEDED"]


def test_without_reports_and_without_minutes_the_tasks_own_look_is_enough(
    simulation: Simulation,
) -> None:
    deaf(simulation)
    simulation._handlers["heartbeat"] = lambda _: None

    assert open_s(simulation) < WITH_EVENTS_S + TASK_S


def test_a_report_about_another_launch_opens_nothing_and_takes_nothing(
    simulation: Simulation,
) -> None:
    """A worker can name any instance: of a stranger, of one that boots, of one that is open."""
    opened = open_s(simulation)
    (first,) = simulation.open_workers()
    simulation.scale(2)
    simulation.time.run(10)
    (second,) = simulation.group.instances.keys() - {first}
    before = len(simulation.ssm.sent)

    for _ in range(20):
        for named in (first, second, "i-0fffffffffffffff0", "not an instance"):
            detail = {"instance_id": named}
            simulation.put_event(
                {"source": source(DEFAULT), "detail-type": DETAIL_TYPE, "detail": detail}
            )
    simulation.time.run(10)

    assert len(simulation.ssm.sent) == before
    assert simulation.time.run_until(lambda: len(simulation.open_workers()) == 2, opened)
    assert simulation.settle(), simulation.report()
    assert simulation.traces() == []


def test_a_hundred_starting_workers_are_looked_at_by_the_minute_in_two_calls(
    simulation: Simulation,
) -> None:
    deaf(simulation)
    looks: list[int] = []
    describe = simulation.ssm.describe_instance_information

    def counted(Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        looks.extend(len(one["Values"]) for one in Filters if one["Key"] == "InstanceIds")
        return describe(Filters)

    simulation.ssm.describe_instance_information = counted  # type: ignore[method-assign]
    simulation.group.most = 100
    simulation.scale(100)

    assert simulation.time.run_until(
        lambda: any("Identify" in e.entered for e in simulation.executions(LAUNCH)), 90
    )
    assert looks == [*[1] * 100, 50, 50]
