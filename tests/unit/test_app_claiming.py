"""The owner of a lifecycle action, when events come twice, late, or in the wrong order."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.app_twins import (
    INSTANCE,
    OTHER,
    OWNER,
)
from tests.support.claims import Bench, read

from labswarm.errors import BadInput
from labswarm.lifecycle.events import Place, Skip
from labswarm.lifecycle.ledger import LEASE_S
from labswarm.lifecycle.work import LOOK_S, Work


def test_the_work_names_node_hook_and_times() -> None:
    work = Bench().claim(read("terminate"))

    assert isinstance(work, Work)
    assert (work.node_name, work.hook) == (f"lab-{INSTANCE}", "terminate")
    # Students have 20 s, moving those left 300 s, cleaning up 120 s.
    assert work.deadline == read("terminate").at + 440
    assert work.empty_by == "2026-11-03T13:45:33Z"  # 20 s after the claim
    assert work.evacuate_by == "2026-11-03T13:50:32Z"  # two minutes before the deadline
    assert Work.parse(work.to_json()) == work


def test_a_duplicate_is_left_with_the_one_who_works_on_it() -> None:
    bench = Bench()
    bench.claim(read("launch"))

    duplicate = bench.claim(replace(read("launch"), token="second"), OTHER)

    assert duplicate == Skip(f"{OWNER} works on it")
    claim = bench.ledger.read_claim(INSTANCE, "launch")
    assert claim is not None
    assert set(claim.tokens) == {read("launch").token, "second"}


def test_a_retry_of_the_same_execution_gets_the_same_work() -> None:
    bench = Bench()

    assert bench.claim(read("launch")) == bench.claim(read("launch"))


def test_a_late_duplicate_of_finished_work_is_skipped() -> None:
    bench = Bench()
    bench.claim(read("launch"))
    bench.close("joined")

    assert bench.claim(read("launch"), OTHER) == Skip("it was done before (joined)")


def test_the_second_launch_of_a_warm_pool_is_new_work() -> None:
    bench = Bench()
    bench.claim(read("launch_into_warm_pool"))
    bench.close("pooled")

    work = bench.claim(replace(read("launch_from_warm_pool"), token="new"), OTHER)

    assert isinstance(work, Work)
    assert work.destination == "AutoScalingGroup"


def test_work_is_taken_over_when_the_lease_ran_out_and_its_owner_died() -> None:
    bench = Bench()
    # Its hook's heartbeats have been kept up meanwhile: the event is young, the claim is old.
    late = replace(read("launch"), at=bench.clock.now() + LEASE_S)
    bench.claim(read("launch"))
    bench.clock.sleep(LEASE_S)

    assert isinstance(bench.claim(late, OTHER), Skip)
    bench.executions.running.remove(OWNER)
    assert isinstance(bench.claim(late, OTHER), Work)


def test_a_dead_owner_keeps_its_work_until_the_lease_runs_out() -> None:
    bench = Bench()
    bench.claim(read("launch"))
    bench.executions.running.remove(OWNER)

    assert isinstance(bench.claim(read("launch"), OTHER), Skip)


def test_a_launch_whose_function_crashed_after_the_claim_goes_on_to_its_undoing() -> None:
    """Refused, its claim would stay open for ever."""
    bench = Bench()
    work = bench.claim(read("launch"))
    bench.claim(read("terminate"), OTHER)

    assert bench.claim(read("launch")) == work


def test_a_launch_that_its_termination_overtook_is_skipped() -> None:
    bench = Bench()
    bench.claim(read("terminate"))

    assert bench.claim(read("launch"), OTHER) == Skip("the instance terminates already")


def test_an_instance_that_went_back_to_the_warm_pool_may_launch_again() -> None:
    bench = Bench()
    bench.claim(read("terminate_into_warm_pool"))

    assert isinstance(bench.claim(read("launch_from_warm_pool"), OTHER), Work)


def test_an_event_older_than_its_hook_waits_is_stale() -> None:
    bench = Bench()
    bench.clock.sleep(600)

    stale = bench.claim(read("launch"))

    assert stale == Skip("the event is 601 s old, its hook waits 600 s")
    assert bench.ledger.read_claim(INSTANCE, "launch") is None


@pytest.mark.parametrize(("after_s", "stale"), [(598, False), (599, True)])
def test_an_event_is_stale_from_the_second_in_which_its_hook_ends(
    after_s: int, stale: bool
) -> None:
    bench = Bench()
    bench.clock.sleep(after_s)

    assert isinstance(bench.claim(read("launch")), Skip) == stale


@pytest.mark.parametrize(
    ("change", "field"),
    [({"hook": "unknown"}, "detail.LifecycleHookName"), ({"cluster": "other"}, "cluster")],
)
def test_a_cluster_or_hook_that_is_not_set_up_is_refused_by_name(
    change: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Bench().claim(replace(read("launch"), **change))

    assert refused.value.field == field


# https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-eventbridge-events.html and, for
# groups without a warm pool, .../ec2-auto-scaling-event-reference.html. An instance refresh, a
# health check and a scale-in are terminations like any other.
WAYS = [
    ("launch", "EC2", "AutoScalingGroup"),
    ("launch", "EC2", "WarmPool"),
    ("launch", "WarmPool", "AutoScalingGroup"),
    ("terminate", "AutoScalingGroup", "EC2"),
    ("terminate", "AutoScalingGroup", "WarmPool"),
    ("terminate", "WarmPool", "EC2"),
]
PLACES = ("EC2", "WarmPool", "AutoScalingGroup")


@pytest.mark.parametrize(("transition", "origin", "destination"), WAYS)
def test_every_way_that_aws_documents_is_worked_on(
    transition: str, origin: Place, destination: Place
) -> None:
    bench = Bench()

    work = bench.claim(replace(read(transition), origin=origin, destination=destination))

    assert isinstance(work, Work)
    assert (work.refusal, work.destination) == ("", destination)
    # An instance of the warm pool comes back; only one that is gone for good has a tombstone.
    gone = transition == "terminate" and destination == "EC2"
    assert bench.ledger.is_terminating(INSTANCE) == gone


@pytest.mark.parametrize(
    ("origin", "destination"),
    [(o, d) for o in PLACES for d in PLACES if ("launch", o, d) not in WAYS],
)
def test_a_launch_on_any_other_way_is_refused_and_completed(
    origin: Place, destination: Place
) -> None:
    work = Bench().claim(replace(read("launch"), origin=origin, destination=destination))

    assert isinstance(work, Work)
    assert work.refusal == f"a launch from {origin} to {destination} is none that AWS documents"


@pytest.mark.parametrize("origin", PLACES)
@pytest.mark.parametrize("destination", PLACES)
def test_a_termination_cleans_up_whatever_its_way(origin: Place, destination: Place) -> None:
    work = Bench().claim(replace(read("terminate"), origin=origin, destination=destination))

    assert isinstance(work, Work)
    assert work.refusal == ""


def test_an_instance_back_from_standby_is_new_work_should_its_hook_say_so() -> None:
    bench = Bench()
    bench.claim(read("launch"))
    bench.close("joined")

    assert isinstance(bench.claim(replace(read("launch"), token="again"), OTHER), Work)


def test_work_of_the_version_before_is_understood() -> None:
    work = Bench().claim(read("launch"))
    assert isinstance(work, Work)
    # As that version wrote it.
    before = {
        name: value
        for name, value in work.to_json().items()
        if name not in ("forward_by", "refusal", "look_s", "version")
    }

    assert Work.parse(before) == replace(work, forward_by=work.deadline, look_s=LOOK_S)
    since = {name: value for name, value in work.to_json().items() if name != "look_s"}
    assert Work.parse(since) == replace(work, look_s=LOOK_S)


@pytest.mark.parametrize("version", [0, 3, "2", None])
def test_work_of_another_version_is_refused_by_name(version: object) -> None:
    work = Bench().claim(read("launch"))
    assert isinstance(work, Work)

    with pytest.raises(BadInput) as refused:
        Work.parse({**work.to_json(), "version": version})

    assert refused.value.field == "work.version"


def test_work_that_lacks_a_field_is_refused_by_name() -> None:
    work = Bench().claim(read("launch"))
    assert isinstance(work, Work)
    values = work.to_json()
    del values["owner"]

    with pytest.raises(BadInput) as refused:
        Work.parse(values)

    assert refused.value.field == "work.owner"
