"""Which clusters scheduled passes leave out, when they look at them again, and who is overdue."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.app_twins import TwinClock
from tests.twins.passes import MemoryPasses

from labswarm.cluster import asg_name
from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm.groups import Roster
from labswarm.reconcile.due import OVERDUE_S, clusters_due, clusters_stuck, rested, vacant
from labswarm.reconcile.passes import Pass

HOUR = 1_800_000_000.0
NOW = HOUR + 1800
EMPTY = Roster(0, {})


def made(ago_s: float = 0, *, at_rest: bool = True) -> Pass:
    return Pass(NOW - ago_s, NOW - ago_s - 5, {}, at_rest=at_rest)


class Account:
    """Clusters with their groups and last passes; a group may be an error that asking raises."""

    def __init__(self, **groups: Roster | LabswarmError) -> None:
        self.groups: Mapping[str, Roster | LabswarmError] = groups
        self.passes = MemoryPasses()
        self.asked: list[str] = []

    def roster(self, asg: str) -> Roster:
        (name,) = (name for name in self.groups if asg_name(name) == asg)
        self.asked.append(name)
        group = self.groups[name]
        if isinstance(group, LabswarmError):
            raise group
        return group

    def rest(self, *names: str) -> None:
        for name in names or self.groups:
            self.passes.write_pass(name, made())

    def clusters_due(self, after_s: float = 300) -> tuple[list[str], list[str]]:
        return clusters_due(
            list(self.groups), self.passes, cast(Any, self), TwinClock(int(NOW + after_s))
        )

    def clusters_stuck(self, after_s: float = 0) -> list[str]:
        return clusters_stuck(list(self.groups), self.passes, TwinClock(int(NOW + after_s)))


@pytest.mark.parametrize(
    ("last", "rests"),
    [
        (None, False),
        (made(300), True),
        (made(300, at_rest=False), False),
        (made(NOW - HOUR), True),
        (made(NOW - HOUR + 1), False),
        (made(-1), False),
    ],
    ids=["none", "at rest", "not at rest", "on the hour", "before it", "of the future"],
)
def test_a_cluster_rests_until_the_hour_is_over_after_a_pass_that_saw_nothing(
    last: Pass | None, rests: bool
) -> None:
    assert rested(last, NOW) == rests


@given(st.integers(0, 3), st.dictionaries(st.sampled_from("abc"), st.just("Terminating:Wait")))
def test_a_group_with_anything_in_it_or_wanted_is_not_vacant(
    desired: int, states: dict[str, str]
) -> None:
    assert vacant(Roster(desired, states)) == (desired == 0 and states == {})


def test_only_clusters_at_rest_are_left_out_and_only_their_groups_asked_for() -> None:
    account = Account(
        empty=EMPTY, wants=Roster(1, {}), has=Roster(0, {"i-1": "Pending"}), new=EMPTY
    )
    account.rest("empty", "wants", "has")

    assert account.clusters_due() == (["wants", "has", "new"], [])
    assert account.asked == ["empty", "wants", "has"]


def test_all_that_rest_are_looked_at_again_at_once_when_the_hour_is_over() -> None:
    account = Account(one=EMPTY, other=EMPTY)
    account.passes.write_pass("one", made(1500))
    account.passes.write_pass("other", made(10))

    assert account.clusters_due(1799) == ([], [])
    assert account.clusters_due(1800) == (["one", "other"], [])


def test_a_pass_that_found_something_ends_the_rest() -> None:
    account = Account(lab=EMPTY)
    account.rest()
    account.passes.write_pass("lab", Pass(NOW, NOW, {}, version=1))

    assert account.clusters_due() == (["lab"], [])


def test_a_cluster_whose_group_cannot_be_read_is_looked_at() -> None:
    account = Account(a=EMPTY, b=Permanent("there is no group"), c=EMPTY)
    account.rest()

    assert account.clusters_due() == (["b"], ["b: there is no group"])


def test_after_a_transient_failure_no_other_cluster_is_asked_about() -> None:
    account = Account(a=EMPTY, b=Transient("it does not answer"), c=EMPTY, d=EMPTY)
    account.rest()

    assert account.clusters_due() == (["b", "c", "d"], ["b: it does not answer"])
    assert account.asked == ["a", "b"]


def test_a_cluster_whose_pass_cannot_be_read_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(a=EMPTY, b=EMPTY)
    account.rest()

    def read(name: str) -> Pass:
        if name == "a":
            raise Permanent("access denied")
        return made()

    monkeypatch.setattr(account.passes, "read_pass", read)
    assert account.clusters_due() == (["a"], ["a: access denied"])


def test_a_pass_that_was_wanted_and_not_made_is_overdue_until_one_is() -> None:
    account = Account(lab=EMPTY, other=EMPTY)

    assert account.clusters_stuck() == []
    assert account.clusters_stuck(OVERDUE_S - 1) == [], "the same event, a second time"
    account.passes.write_pass("other", made())
    assert account.clusters_stuck(300) == ["lab: no pass has decided anything for 300 s"]
    account.rest("lab")
    assert account.clusters_stuck(900) == ["other: no pass has decided anything for 600 s"]


def test_a_cluster_whose_record_cannot_be_kept_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(a=EMPTY, b=EMPTY, c=EMPTY)
    fails = {"a": Permanent("access denied"), "b": Transient("it does not answer")}

    def wanted(name: str, now: float) -> float:
        if name in fails:
            raise fails[name]
        return now

    monkeypatch.setattr(account.passes, "wanted", wanted)
    assert account.clusters_stuck() == ["a: access denied", "b: it does not answer"]
