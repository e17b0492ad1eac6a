"""The emulator has the resources that Terraform plans, after the lab has laid its ground."""

import json
from pathlib import Path

import pytest
from tests.support.running_emulator import RunningEmulator

from labswarm.cluster import Cluster
from labswarm_lab import ground
from labswarm_lab.plan import DEFAULT, GroupPlan, read_plan

pytestmark = pytest.mark.emulator


def test_a_group_is_as_planned(emulator: RunningEmulator, name: str) -> None:
    (planned,) = read_plan(DEFAULT, name)
    ground.make_group(emulator, planned)

    autoscaling = emulator.client("autoscaling")
    (group,) = autoscaling.describe_auto_scaling_groups(
        AutoScalingGroupNames=[f"labswarm-{name}-workers"]
    )["AutoScalingGroups"]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 20, 0)
    assert group["NewInstancesProtectedFromScaleIn"] is True
    assert [one["ProcessName"] for one in group["SuspendedProcesses"]] == ["AZRebalance"]
    assert {tag["Key"]: tag["Value"] for tag in group["Tags"]} == planned.tags
    policy = group["MixedInstancesPolicy"]
    assert policy["LaunchTemplate"]["Overrides"] == [{"InstanceType": "t3.medium"}]
    assert policy["InstancesDistribution"]["SpotAllocationStrategy"] == "price-capacity-optimized"


def test_a_hooks_timeout_changed_in_the_plan_changes_the_lab(
    emulator: RunningEmulator, name: str, tmp_path: Path
) -> None:
    plan = json.loads(DEFAULT.read_text())
    for resource in plan["planned_values"]["root_module"]["resources"]:
        if resource["type"] == "aws_autoscaling_lifecycle_hook":
            resource["values"]["heartbeat_timeout"] = 1234
    changed = tmp_path / "plan.json"
    changed.write_text(json.dumps(plan))
    (planned,) = read_plan(changed, name)
    ground.make_group(emulator, planned)

    hooks = emulator.client("autoscaling").describe_lifecycle_hooks(
        AutoScalingGroupName=f"labswarm-{name}-workers"
    )["LifecycleHooks"]
    assert {(h["LifecycleHookName"], h["HeartbeatTimeout"], h["DefaultResult"]) for h in hooks} == {
        ("launch", 1234, "ABANDON"),
        ("terminate", 1234, "CONTINUE"),
    }


def test_the_description_is_read_by_the_app(emulator: RunningEmulator, name: str) -> None:
    (planned,) = read_plan(DEFAULT, name)
    describe(emulator, planned)

    described = emulator.client("ssm").get_parameter(Name=f"/labswarm/clusters/{name}")
    cluster = Cluster.parse(described["Parameter"]["Value"])
    assert (cluster.name, cluster.asg) == (name, f"labswarm-{name}-workers")
    assert (cluster.min_nodes, cluster.max_nodes, cluster.empty_deadline_s) == (3, 20, 15)


def describe(emulator: RunningEmulator, planned: GroupPlan) -> None:
    ground.describe_cluster(
        emulator,
        planned.settings,
        manager="i-00000000000000001",
        chef=ground.ChefGround("https://chef.invalid", "labswarm", "pem"),
        images=["labswarm/notebook:lab"],
        min_nodes=3,
    )
