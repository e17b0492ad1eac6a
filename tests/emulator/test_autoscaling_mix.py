"""A group's purchases in the emulator, and its behaviour when EC2 has no capacity."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.scaling_group import LAUNCHING, Group, hook, refused

from labswarm_emulator.autoscaling.allocation import (
    Distribution,
    Member,
    first_to_go,
    purchases,
    type_to_buy,
)

UNFULFILLABLE = (
    "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to "
    "your request configuration. Please adjust your request and try again. Launching EC2 instance "
    "failed."
)
UNSUCCESSFUL = "EC2 Instance Launch Unsuccessful"


@pytest.fixture
def lack(emulator: RunningEmulator) -> Iterator[Callable[..., None]]:
    """Has EC2 lack instance types, until the test is over."""

    def put(**markets: list[str]) -> None:
        url = f"{emulator.url}/_emulator/faults/capacity"
        assert urllib3.request("PUT", url, json=markets, timeout=10).status == 200

    yield put
    urllib3.request("DELETE", f"{emulator.url}/_emulator/faults/capacity", timeout=10)


def bought(group: Group) -> list[tuple[str, str]]:
    """The market and the type of each instance in service, as EC2 describes them."""
    seen = [group.ec2(i) for i, state in group.states().items() if state == "InService"]
    return sorted((i.get("InstanceLifecycle", "on-demand"), i["InstanceType"]) for i in seen)


def members(*kinds: str, spot: bool = True, zone: str = "a") -> list[Member]:
    return [Member(f"i-{n}", kind, zone, spot) for n, kind in enumerate(kinds)]


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "MixedInstancesPolicy",
    "The on-demand base first, then the percentage above it; DescribeInstances distinguishes them.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html",
)
def test_a_mixed_group_buys_its_base_and_then_its_percentage(group: Group) -> None:
    mix = {
        "types": ["m5.large", "t3.medium"],
        "OnDemandBaseCapacity": 1,
        "OnDemandPercentageAboveBaseCapacity": 25,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    group.create(5, hooks=[], mix=mix)
    seen = eventually(lambda: len(bought(group)) == 5 and bought(group))
    assert seen == [("on-demand", "m5.large")] * 2 + [("spot", "m5.large")] * 3


@pytest.mark.aws(
    "Auto Scaling",
    "MixedInstancesPolicy",
    "Of a capacity the base is on demand, and of the rest the percentage, rounded up.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html",
)
@pytest.mark.parametrize(
    ("base", "percentage", "wanted"),
    [
        (0, 0, {10: 0, 40: 0}),
        (0, 100, {10: 10, 40: 40}),
        (0, 50, {10: 5, 20: 10, 30: 15, 40: 20}),
        (12, 0, {10: 10, 20: 12, 30: 12, 40: 12}),
        (12, 50, {10: 10, 20: 16, 30: 21, 40: 26}),
        (0, 30, {1: 1, 5: 2, 10: 3}),
    ],
)
def test_how_much_is_on_demand(base: int, percentage: int, wanted: dict[int, int]) -> None:
    mix = Distribution(("t",), on_demand_base=base, on_demand_percentage=percentage)
    assert {n: mix.on_demand_of(n) for n in wanted} == wanted
    assert {n: purchases(mix, [], n) for n in wanted} == {
        n: (on_demand, n - on_demand) for n, on_demand in wanted.items()
    }


def test_running_instances_count_towards_the_mix() -> None:
    mix = Distribution(("t",), on_demand_base=2, on_demand_percentage=0)
    assert purchases(mix, members("t", "t"), 3) == (1, 0)
    assert purchases(mix, members("t", spot=False), 4) == (1, 2)
    assert purchases(mix, members("t", "t", "t", spot=False), 3) == (0, 0)


@pytest.mark.differs(
    "Auto Scaling",
    "allocation strategies",
    "The order of the overrides stands for their prices and capacities, with every strategy.",
    "The emulator has no market; lowest-price alone spreads spot over the first SpotInstancePools.",
)
def test_the_order_of_the_types_stands_for_price_and_capacity() -> None:
    def none(_kind: str) -> bool:
        return False

    mix = Distribution(("a", "b", "c"), spot_pools=2)
    assert type_to_buy(mix, [], spot=False, lacks=none) == "a"
    assert type_to_buy(mix, members("a"), spot=True, lacks=none) == "b"
    assert type_to_buy(mix, members("a", "b"), spot=True, lacks=none) == "a"
    assert type_to_buy(mix, members("a", "b"), spot=True, lacks="a".__eq__) == "c"
    assert type_to_buy(mix, [], spot=True, lacks="abc".__contains__) is None


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "capacity errors",
    "Without spot capacity a mixed group's launch fails with UnfulfillableCapacity.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html",
)
def test_spot_without_capacity_fails_and_is_tried_again(
    group: Group, lack: Callable[..., None]
) -> None:
    lack(spot=["*"])
    mix = {
        "types": ["m5.large", "t3.medium"],
        "OnDemandBaseCapacity": 1,
        "OnDemandPercentageAboveBaseCapacity": 0,
    }
    group.create(3, hooks=[], mix=mix)
    event = group.event(UNSUCCESSFUL)
    assert event["detail"]["StatusCode"] == "Failed"
    assert event["detail"]["StatusMessage"] == UNFULFILLABLE
    failed = [a for a in group.activities() if a["StatusCode"] == "Failed"]
    assert failed[-1]["StatusMessage"] == UNFULFILLABLE
    assert event["detail"]["ActivityId"] in [activity["ActivityId"] for activity in failed]
    # It buys nothing else in its place, and all that it can get.
    assert eventually(lambda: bought(group)) == [("on-demand", "m5.large")]

    eventually(lambda: len(group.events(UNSUCCESSFUL)) > 1)
    lack(spot=["m5.large"])
    seen = eventually(lambda: len(bought(group)) == 3 and bought(group))
    assert seen == [("on-demand", "m5.large")] + [("spot", "t3.medium")] * 2


@pytest.mark.emulator
@pytest.mark.differs(
    "Auto Scaling",
    "capacity errors",
    "A refused launch is tried again after 30 s, then after twice as long each time, up to 300 s.",
    "AWS retries too, and does not document the pauses.",
)
def test_the_pauses_between_tries_grow(group: Group, lack: Callable[..., None]) -> None:
    lack(on_demand=["t3.medium"])
    group.create(1, hooks=[])

    def tries() -> list[dict[str, Any]]:
        return group.emulator.recorded("autoscaling", group=group.name, what="launch refused")

    eventually(lambda: len(tries()) > 2)
    first, second, third = (line["at"] for line in tries()[:3])
    pause_s = 30 * group.emulator.settings.time_scale
    # A try is never earlier than its pause; how much later it is, is the machine's load.
    assert second - first > 0.95 * pause_s
    assert third - second > 0.95 * 2 * pause_s


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "capacity errors",
    "Without on-demand capacity the message names the type and the zone.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html",
)
def test_on_demand_without_capacity_names_type_and_zone(
    group: Group, lack: Callable[..., None]
) -> None:
    lack(on_demand=["t3.medium"])
    group.create(1, hooks=[])
    message = group.event(UNSUCCESSFUL)["detail"]["StatusMessage"]
    said = "We currently do not have sufficient t3.medium capacity in the Availability Zone"
    assert message.startswith(f"{said} you requested (eu-west-1a).")
    assert message.endswith("Launching EC2 instance failed.")


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "launch templates",
    "A template with InstanceMarketOptions buys spot, and is refused together with a mixed policy.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-template-spot-instances.html",
)
def test_a_template_can_ask_for_spot_but_not_in_a_mixed_group(
    group: Group, lack: Callable[..., None]
) -> None:
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}}
    group.create(1, hooks=[], template=spot)
    assert eventually(lambda: bought(group)) == [("spot", "t3.medium")]
    lack(spot=["t3.medium"])
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=2)
    message = group.event(UNSUCCESSFUL)["detail"]["StatusMessage"]
    assert message.startswith("There is no Spot capacity available that matches your request.")
    with refused("Incompatible launch template"):
        named = {"LaunchTemplateName": group.name}
        group.api.update_auto_scaling_group(
            AutoScalingGroupName=group.name,
            MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": named}},
        )


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "zones",
    "New instances go to the zone with the fewest of the group's.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html",
)
def test_instances_are_spread_over_the_groups_zones(group: Group) -> None:
    subnets = group.emulator.client("ec2").describe_subnets()["Subnets"]
    group.create(
        5,
        hooks=[hook(LAUNCHING)],
        VPCZoneIdentifier=",".join(subnet["SubnetId"] for subnet in subnets),
    )
    zones = [instance["AvailabilityZone"] for instance in group.described()["Instances"]]
    counts = [zones.count(subnet["AvailabilityZone"]) for subnet in subnets]
    assert sum(counts) == 5
    assert max(counts) - min(counts) <= 1


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "AZRebalance",
    "An unbalanced group launches in the emptiest zone, then ends one of the fullest; if it may.",
    "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-availability-zone-balanced.html",
)
def test_a_group_that_became_unbalanced_moves_an_instance(group: Group) -> None:
    first, second = group.emulator.client("ec2").describe_subnets()["Subnets"][:2]
    group.create(4, hooks=[], VPCZoneIdentifier=f"{first['SubnetId']},{second['SubnetId']}")
    which = {"AutoScalingGroupName": group.name, "ScalingProcesses": ["AZRebalance"]}
    group.api.suspend_processes(**which)
    group.api.enable_metrics_collection(AutoScalingGroupName=group.name, Granularity="1Minute")

    def zones() -> list[str]:
        found = group.described()["Instances"]
        serving = [i for i in found if i["LifecycleState"] == "InService"]
        return sorted(i["AvailabilityZone"] for i in serving)

    one, other = first["AvailabilityZone"], second["AvailabilityZone"]
    eventually(lambda: zones() == sorted([one] * 2 + [other] * 2))
    for instance in group.described()["Instances"]:
        if instance["AvailabilityZone"] == other:
            group.terminate(instance["InstanceId"], decrement=True)
    eventually(lambda: len(group.states()) == 2 and zones() == [one] * 2)

    def minutes() -> int:
        dimension = [{"Name": "AutoScalingGroupName", "Value": group.name}]
        now = datetime.now(UTC)
        points = group.emulator.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/AutoScaling",
            MetricName="GroupTotalInstances",
            Dimensions=dimension,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=86400,
            Statistics=["SampleCount"],
        )["Datapoints"]
        return int(sum(point["SampleCount"] for point in points))

    begun = minutes()
    eventually(lambda: minutes() >= begun + 2)
    assert zones() == [one] * 2
    group.api.resume_processes(**which)
    eventually(lambda: zones() == sorted([one, other]) and len(group.states()) == 2)
    causes = [activity["Cause"] for activity in group.activities()]
    assert "resulting in more than desired number of instances" in causes[0]
    assert "to aid in balancing the group's zones" in causes[1]
    assert group.desired == 2


def test_a_shrinking_group_keeps_its_mix_and_zones() -> None:
    mix = Distribution(("t",), on_demand_base=1, on_demand_percentage=0)
    od = Member("od", "t", "a", spot=False)
    spot = [Member(f"s{n}", "t", zone, spot=True) for n, zone in enumerate("abb")]
    everyone = [od, *spot]
    assert first_to_go(everyone, everyone, mix, "Default").instance_id == "s1"
    assert first_to_go(everyone, everyone, mix, "NewestInstance").instance_id == "s2"
    assert first_to_go([od, spot[0]], everyone, mix, "Default").instance_id == "s0"
    too_many = [od, Member("od2", "t", "b", spot=False), spot[0]]
    assert first_to_go(too_many, too_many, mix, "Default").instance_id == "od"
    coming = [Member("new", "t", "a", spot=True, in_service=False), spot[0]]
    assert first_to_go(coming, coming, None, "Default").instance_id == "s0"
    versions = [Member("v2", "t", "a", False, True, 2), Member("v1", "t", "a", False, True, 1)]
    assert first_to_go(versions, versions, None, "Default").instance_id == "v1"
    assert first_to_go(versions, versions, None, "OldestInstance").instance_id == "v2"


@pytest.mark.emulator
@pytest.mark.absent(
    "Auto Scaling",
    "MixedInstancesPolicy",
    "ValidationError for weights, requirements, own templates, prices and segments.",
)
@pytest.mark.parametrize(
    ("override", "distribution", "said"),
    [
        ({"InstanceType": "m5.large", "WeightedCapacity": "2"}, {}, "no WeightedCapacity"),
        (
            {"InstanceRequirements": {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096}}},
            {},
            "no InstanceRequirements",
        ),
        ({"InstanceType": "m5.large"}, {"SpotMaxPrice": "0.05"}, "no SpotMaxPrice"),
    ],
)
def test_a_mix_that_the_emulator_cannot_buy_is_refused(
    group: Group, override: dict[str, Any], distribution: dict[str, Any], said: str
) -> None:
    group.create(0, hooks=[])
    with refused(said):
        group.api.update_auto_scaling_group(
            AutoScalingGroupName=group.name,
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": group.name},
                    "Overrides": [override],
                },
                "InstancesDistribution": distribution,
            },
        )


@pytest.mark.emulator
@pytest.mark.aws(
    "Auto Scaling",
    "MixedInstancesPolicy",
    "An update that names no launch template keeps the group's; its distribution replaces all.",
    "https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_MixedInstancesPolicy.html",
)
def test_a_raised_base_buys_on_demand_what_spot_does_not_have(
    group: Group, lack: Callable[..., None]
) -> None:
    mix = {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 0}
    group.create(1, hooks=[], mix={"types": ["m5.large", "t3.medium"], **mix})
    assert eventually(lambda: bought(group)) == [("spot", "m5.large")]
    lack(spot=["*"])
    group.api.set_desired_capacity(AutoScalingGroupName=group.name, DesiredCapacity=3)
    assert group.event(UNSUCCESSFUL)["detail"]["StatusMessage"] == UNFULFILLABLE
    before = group.described()["MixedInstancesPolicy"]["LaunchTemplate"]

    group.api.update_auto_scaling_group(
        AutoScalingGroupName=group.name,
        MixedInstancesPolicy={"InstancesDistribution": {**mix, "OnDemandBaseCapacity": 2}},
    )

    seen = eventually(lambda: len(bought(group)) == 3 and bought(group))
    assert seen == [("on-demand", "m5.large")] * 2 + [("spot", "m5.large")]
    assert group.described()["MixedInstancesPolicy"]["LaunchTemplate"] == before
    group.api.update_auto_scaling_group(AutoScalingGroupName=group.name, MaxSize=4)
    assert group.described()["MixedInstancesPolicy"]["LaunchTemplate"] == before
