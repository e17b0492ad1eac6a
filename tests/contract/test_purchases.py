"""EC2's answers to a group that buys instances: the twin and AWS do the same."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.scaling_group import kept
from tests.twins.groups import ASG
from tests.twins.purchases import TwinPurchases

from labswarm.aws.purchases import Ec2Purchases
from labswarm.lab_hours.purchases import Market, Purchases, Refusal

ONE = "i-00000000000000001"


@dataclass(frozen=True)
class Buying:
    """A group of one instance on demand; `refuse` has EC2 refuse it one more of a market."""

    purchases: Purchases
    asg: str
    bought: frozenset[str]
    refuse: Callable[[Market], None]


@pytest.fixture(params=["twin", pytest.param("aws", marks=pytest.mark.emulator)])
def buying(request: pytest.FixtureRequest, name: str) -> Iterator[Buying]:
    if request.param == "twin":
        twin = TwinPurchases()
        twin.bought = {ONE}

        def refuse(market: Market) -> None:
            twin.refused.append(Refusal(time.time(), market))

        yield Buying(twin, ASG, frozenset({ONE}), refuse)
        return
    emulator: RunningEmulator = request.getfixturevalue("emulator")
    url = f"{emulator.url}/_emulator/faults/capacity"
    with kept(emulator, name) as group:
        mix = {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0}
        group.create(1, hooks=[], mix=mix)
        (one,) = eventually(lambda: tuple(group.states()))

        def refuse_emulated(market: Market) -> None:
            lacks = {"spot": ["*"]} if market is Market.SPOT else {"on_demand": ["*"]}
            assert urllib3.request("PUT", url, json=lacks, timeout=10).status == 200
            base = 1 if market is Market.SPOT else 5
            policy = {"InstancesDistribution": {**mix, "OnDemandBaseCapacity": base}}
            group.api.update_auto_scaling_group(
                AutoScalingGroupName=name, MixedInstancesPolicy=policy
            )
            seen = len(group.events("EC2 Instance Launch Unsuccessful"))
            group.api.set_desired_capacity(
                AutoScalingGroupName=name, DesiredCapacity=group.desired + 1
            )
            eventually(lambda: len(group.events("EC2 Instance Launch Unsuccessful")) > seen)

        purchases = Ec2Purchases(emulator.client("autoscaling"), emulator.client("ec2"))
        yield Buying(purchases, name, frozenset({one}), refuse_emulated)
        urllib3.request("DELETE", url, timeout=10)


def test_a_group_that_got_everything_was_refused_nothing(buying: Buying) -> None:
    assert buying.purchases.refusals(buying.asg, 0) == ()


def test_the_newest_refusal_comes_last_while_it_is_recent(buying: Buying) -> None:
    begun = time.time()
    buying.refuse(Market.SPOT)
    newest = buying.purchases.refusals(buying.asg, 0)[-1]
    assert newest.market is Market.SPOT
    assert begun - 1 <= newest.at <= time.time()

    buying.refuse(Market.ON_DEMAND)
    assert buying.purchases.refusals(buying.asg, 0)[-1].market is Market.ON_DEMAND
    assert buying.purchases.refusals(buying.asg, time.time() + 1) == ()


def test_the_instances_on_demand_are_named(buying: Buying) -> None:
    assert buying.purchases.on_demand(buying.asg) == buying.bought
