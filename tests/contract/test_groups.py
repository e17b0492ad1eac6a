"""Auto Scaling groups: the twin and EC2 Auto Scaling do the same."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.scaling_group import kept
from tests.twins.groups import ASG, TwinGroups

from labswarm.aws.groups import AutoScalingGroups
from labswarm.errors import Permanent
from labswarm.groups import IN_SERVICE, Groups, Member, Mix, Size

NOBODY = "i-0123456789abcdef0"
MOST = 5


@dataclass(frozen=True)
class InService:
    """A group of two instances in service, with one more than its minimum."""

    groups: Groups
    asg: str
    instances: tuple[str, ...]


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def two(request: pytest.FixtureRequest, name: str) -> Iterator[InService]:
    if request.param == "twin":
        members = {f"i-{n:017x}": Member(ASG, IN_SERVICE) for n in (1, 2)}
        yield InService(TwinGroups(members, Size(2, MOST), least=1), ASG, tuple(members))
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    with kept(emulator, name) as group:
        group.create(2, hooks=[], MinSize=1, MaxSize=MOST)
        eventually(lambda: list(group.states().values()) == [IN_SERVICE] * 2)
        groups = AutoScalingGroups(emulator.client("autoscaling"))
        yield InService(groups, name, tuple(group.states()))


def test_a_member_is_known_by_its_id_with_its_group_and_state(two: InService) -> None:
    assert two.groups.member(two.instances[0]) == Member(two.asg, IN_SERVICE)
    assert two.groups.member(NOBODY) is None


def test_size_roster_and_view_agree(two: InService) -> None:
    assert two.groups.size(two.asg) == Size(2, MOST)
    roster = two.groups.roster(two.asg)
    assert (roster.desired, roster.states) == (2, dict.fromkeys(two.instances, IN_SERVICE))
    view = two.groups.view(two.asg)
    assert (view.desired, view.least, view.most) == (2, 1, MOST)
    assert view.in_service == frozenset(two.instances)
    assert not view.held


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def mixed(request: pytest.FixtureRequest, name: str) -> Iterator[InService]:
    """A group of one spot instance, whose policy has been set."""
    if request.param == "twin":
        members = {f"i-{1:017x}": Member(ASG, IN_SERVICE)}
        yield InService(TwinGroups(members, Size(1, MOST), mix=Mix(0, 20)), ASG, tuple(members))
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    mix = {
        "types": ["m5.large", "t3.medium"],
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 20,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    with kept(emulator, name) as group:
        group.create(1, hooks=[], MaxSize=MOST, mix=mix)
        eventually(lambda: list(group.states().values()) == [IN_SERVICE])
        groups = AutoScalingGroups(emulator.client("autoscaling"))
        yield InService(groups, name, tuple(group.states()))


def test_the_on_demand_base_is_changed_once_and_the_rest_of_the_policy_is_kept(
    mixed: InService,
) -> None:
    assert mixed.groups.view(mixed.asg).mix == Mix(0, 20)
    assert mixed.groups.buy_on_demand(mixed.asg, 2)
    assert not mixed.groups.buy_on_demand(mixed.asg, 2)
    assert mixed.groups.view(mixed.asg).mix == Mix(2, 20)
    assert mixed.groups.buy_on_demand(mixed.asg, 0)
    assert mixed.groups.view(mixed.asg).mix == Mix(0, 20)


def test_a_group_without_a_mixed_policy_buys_nothing_on_demand(two: InService) -> None:
    assert two.groups.view(two.asg).mix is None
    with pytest.raises(Permanent, match="mixed instances policy"):
        two.groups.buy_on_demand(two.asg, 1)


def test_a_group_that_is_not_there_is_permanent(two: InService) -> None:
    for call in (two.groups.size, two.groups.roster, two.groups.view):
        with pytest.raises(Permanent, match="labswarm-nope-workers"):
            call("labswarm-nope-workers")


def test_a_resized_group_has_its_new_size(two: InService) -> None:
    two.groups.resize(two.asg, 3)
    assert two.groups.size(two.asg) == Size(3, MOST)


def test_terminating_keeps_the_size_and_takes_the_instance_out_of_service(two: InService) -> None:
    two.groups.terminate(two.instances[0])
    assert two.groups.size(two.asg) == Size(2, MOST)
    assert two.instances[0] not in two.groups.view(two.asg).in_service


def test_shrinking_ends_the_instance_and_the_group_is_one_smaller(two: InService) -> None:
    assert two.groups.shrink(two.instances[0])
    assert two.groups.size(two.asg) == Size(1, MOST)
    assert two.instances[0] not in two.groups.view(two.asg).in_service


def test_a_group_at_its_minimum_does_not_shrink(two: InService) -> None:
    assert two.groups.shrink(two.instances[0])
    assert not two.groups.shrink(two.instances[1])
    assert two.groups.size(two.asg) == Size(1, MOST)


def test_an_instance_of_no_group_does_not_shrink_any(two: InService) -> None:
    assert not two.groups.shrink(NOBODY)
    assert two.groups.size(two.asg) == Size(2, MOST)
