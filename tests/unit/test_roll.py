"""`labswarm roll` over a twin of its outside systems: its refusals, its output, and taking an image
back.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.app_twins import DESCRIPTION

from labswarm.cluster import Cluster
from labswarm.snapshot import NodeSeen, Snapshot
from labswarm_operator import roll
from labswarm_operator.refusal import Failure, Refusal
from labswarm_operator.roll import Roll

OLD, NEW = "ami-00000001", "ami-00000002"
IMAGE = {"State": "available", "Architecture": "x86_64", "RootDeviceName": "/dev/sda1"}
LAUNCH = "arn:launch"
WORKERS = "Workers of the labswarm cluster lab"


class Twin:
    """Every service at once: one group, its template, and its cluster's snapshot.

    A launch becomes what `becomes` says, at each look one state further; time passes by looking.
    """

    def __init__(self, *states: str, desired: int | None = None, most: int = 5) -> None:
        self.images = {OLD: IMAGE, NEW: IMAGE}
        self.versions: dict[int, tuple[str, str]] = {1: (OLD, WORKERS)}
        self.numbers = 1
        self.default = 1
        self.latest_falls_back = True
        self.group: dict[str, Any] = {
            "DesiredCapacity": len(states) if desired is None else desired,
            "MinSize": 0,
            "MaxSize": most,
            "SuspendedProcesses": [],
        }
        self.follows = "$Latest"
        self.nodes = {f"i-{i:08x}": (state, 1) for i, state in enumerate(states)}
        self.becomes = ["Pending:Wait", "InService"]
        self.changed: list[str] = []
        self.seconds = 0.0
        self.after: Callable[[], None] = lambda: None

    def __call__(self, service: str) -> "Twin":
        return self

    # Time

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for instance_id, (state, version) in list(self.nodes.items()):
            if state in self.becomes[:-1]:
                following = self.becomes[self.becomes.index(state) + 1]
                self.nodes[instance_id] = (following, version)
        self.after()

    # EC2

    def describe_images(self, **asked: Any) -> dict[str, Any]:
        (ami,) = asked["ImageIds"]
        if ami not in self.images:
            error = {"Error": {"Code": "InvalidAMIID.NotFound", "Message": ami}}
            raise ClientError(error, "DescribeImages")  # type: ignore[arg-type]
        return {"Images": [self.images[ami]]}

    def describe_launch_template_versions(self, **asked: Any) -> dict[str, Any]:
        (which,) = asked["Versions"]
        number = {"$Latest": self.latest, "$Default": self.default}[which]
        ami, description = self.versions[number]
        data = {"ImageId": ami}
        found = {"VersionNumber": number, "LaunchTemplateData": data}
        return {"LaunchTemplateVersions": [{**found, "VersionDescription": description}]}

    @property
    def latest(self) -> int:
        return max(self.versions)

    def create_launch_template_version(self, **given: Any) -> dict[str, Any]:
        assert int(given["SourceVersion"]) in self.versions
        (ami,) = given["LaunchTemplateData"].values()
        self.numbers += 1
        self.versions[self.numbers] = (ami, given["VersionDescription"])
        self.changed.append(f"version {self.numbers}: {ami}")
        return {"LaunchTemplateVersion": {"VersionNumber": self.numbers}}

    def delete_launch_template_versions(self, **given: Any) -> None:
        (number,) = given["Versions"]
        self.changed.append(f"delete {number}")
        if self.latest_falls_back:
            del self.versions[int(number)]

    def modify_launch_template(self, **given: Any) -> None:
        self.default = int(given["DefaultVersion"])

    # Auto Scaling

    def describe_auto_scaling_groups(self, **asked: Any) -> dict[str, Any]:
        spec = {"LaunchTemplateId": "lt-1", "Version": self.follows}
        instances = [
            {
                "InstanceId": instance_id,
                "LifecycleState": state,
                "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": str(version)},
            }
            for instance_id, (state, version) in self.nodes.items()
        ]
        policy = {"LaunchTemplate": {"LaunchTemplateSpecification": spec}}
        found = {**self.group, "Instances": instances, "MixedInstancesPolicy": policy}
        return {"AutoScalingGroups": [found]}

    def set_desired_capacity(self, **given: Any) -> None:
        self.changed.append(f"desired {given['DesiredCapacity']}")
        self.group["DesiredCapacity"] = given["DesiredCapacity"]
        self.nodes["i-0000ffff"] = (self.becomes[0], self.latest)

    def terminate_instance_in_auto_scaling_group(self, **given: Any) -> None:
        fewer = given["ShouldDecrementDesiredCapacity"]
        self.group["DesiredCapacity"] -= fewer
        self.changed.append(f"end {given['InstanceId']} {fewer}")

    # DynamoDB and Step Functions

    def get_item(self, **asked: Any) -> dict[str, Any]:
        nodes = tuple(
            NodeSeen(i, i, "ready", "active", 7, 0, "2026-11-24T08:00:00Z")
            for i, (state, _) in self.nodes.items()
            if state == "InService"
        )
        return {"Item": {"snapshot": {"S": Snapshot("lab", 0, nodes, 0, 0).to_json()}}}

    def get_paginator(self, operation: str) -> "Twin":
        assert operation == "list_state_machines"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        machine = {"name": "labswarm-node-launch", "stateMachineArn": LAUNCH}
        return [{"stateMachines": [machine]}]

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        assert (asked["stateMachineArn"], asked["statusFilter"]) == (LAUNCH, "FAILED")
        return {"executions": [{"executionArn": "one"}]}

    def describe_execution(self, **asked: Any) -> dict[str, str]:
        event = {"detail": {"EC2InstanceId": "i-0000ffff"}}
        return {"input": json.dumps(event), "error": "NodeNotOpened", "cause": "no tool"}


@pytest.fixture
def rolled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Rolls NEW out to a twin; returns the output, by `what`."""

    def run(twin: Twin, *, dry_run: bool = False) -> list[str]:
        monkeypatch.setattr(roll, "time", twin)
        steps: list[str] = []
        cluster = Cluster.parse(json.dumps(DESCRIPTION))
        Roll(twin, cluster, NEW, lambda said: steps.append(said["what"])).run(dry_run=dry_run)
        return steps

    return run


Rolled = Callable[..., list[str]]


def old_ones_go(twin: Twin) -> None:
    """As lab hours have it, once a newer node is open."""
    newest = max((v for s, v in twin.nodes.values() if s == "InService"), default=0)
    twin.nodes = {i: (s, v) for i, (s, v) in twin.nodes.items() if v >= newest}


def test_one_node_opens_before_any_other_goes(rolled: Rolled) -> None:
    twin = Twin("InService", "InService")
    twin.after = lambda: old_ones_go(twin)

    assert rolled(twin) == ["version", "launch", "open", "done"]

    assert twin.changed == ["version 2: ami-00000002", "desired 3"]
    # Nothing that Terraform compares is another, but the image.
    assert (twin.default, twin.versions[2]) == (2, (NEW, WORKERS))


def test_an_empty_group_launches_one_node_to_try_the_image(rolled: Rolled) -> None:
    twin = Twin()

    assert rolled(twin) == ["version", "launch", "open", "done"]
    assert twin.changed == ["version 2: ami-00000002", "desired 1"]


def test_workers_that_start_already_are_waited_for(rolled: Rolled) -> None:
    twin = Twin("Pending:Wait", desired=2)

    def second() -> None:
        twin.nodes.setdefault("i-00000001", ("Pending:Wait", 1))
        if "i-0000ffff" in twin.nodes:
            old_ones_go(twin)

    twin.after = second

    assert rolled(twin)[:3] == ["waiting", "waiting", "version"]


def test_asked_again_it_goes_on_where_it_is(rolled: Rolled) -> None:
    twin = Twin("InService")
    twin.versions[2] = (NEW, WORKERS)
    twin.nodes["i-00000002"] = ("Pending:Wait", 2)
    twin.after = lambda: old_ones_go(twin)

    assert rolled(twin) == ["open", "done"]
    assert twin.changed == []


def test_a_dry_run_changes_nothing(rolled: Rolled) -> None:
    twin = Twin("InService")

    assert rolled(twin, dry_run=True) == ["plan"]
    assert twin.changed == []


def test_a_launch_that_is_given_up_takes_the_version_back(rolled: Rolled) -> None:
    twin = Twin("InService")
    twin.becomes = ["Pending:Wait", "Terminating:Wait"]

    with pytest.raises(Failure, match=r"i-0000ffff did not open \(NodeNotOpened: no tool\); vers"):
        rolled(twin)

    assert twin.changed == ["version 2: ami-00000002", "desired 2", "delete 2"]
    assert (twin.default, twin.versions) == (1, {1: (OLD, WORKERS)})


@pytest.mark.parametrize(("least", "fewer"), [(0, True), (2, False)])
def test_a_worker_that_does_not_open_in_time_is_ended(
    rolled: Rolled, least: int, fewer: bool
) -> None:
    twin = Twin("InService")
    twin.group["MinSize"] = least
    twin.becomes = ["Pending:Wait"]

    with pytest.raises(Failure, match=r"After 960 s no node .*: i-0000ffff Pending:Wait"):
        rolled(twin)

    assert twin.changed[-2:] == ["delete 2", f"end i-0000ffff {fewer}"]


@pytest.mark.parametrize(
    ("becomes", "last"),
    [(["Pending:Wait"], "end i-0000ffff True"), (["Pending:Wait", "InService"], "desired 2")],
)
def test_ctrl_c_takes_back_workers_that_have_not_opened(
    rolled: Rolled, becomes: list[str], last: str
) -> None:
    twin = Twin("InService")
    twin.becomes = becomes

    def stop() -> None:
        if twin.seconds >= 3:
            raise KeyboardInterrupt

    twin.after = stop

    with pytest.raises(KeyboardInterrupt):
        rolled(twin)
    assert twin.changed[-1] == last


def test_where_latest_stays_a_version_like_the_former_is_made(rolled: Rolled) -> None:
    twin = Twin("InService")
    twin.becomes = ["Pending:Wait", "Terminating:Wait"]
    twin.latest_falls_back = False

    with pytest.raises(Failure):
        rolled(twin)

    assert twin.changed[-1] == "version 3: ami-00000001"
    assert (twin.default, twin.versions[3]) == (3, (OLD, WORKERS))


def test_the_version_of_a_command_that_was_killed_is_not_gone_back_to(rolled: Rolled) -> None:
    twin = Twin("InService")
    twin.versions[2], twin.numbers = ("ami-0000dead", WORKERS), 2
    twin.becomes = ["Pending:Wait", "Terminating:Wait"]

    with pytest.raises(Failure, match=f"the group launches {OLD}"):
        rolled(twin)

    assert twin.versions[twin.latest] == (OLD, WORKERS)


def test_open_workers_of_a_version_that_is_taken_back_stay_and_become_older_ones(
    rolled: Rolled,
) -> None:
    twin = Twin("InService")
    twin.becomes = ["Pending:Wait", "Terminating:Wait"]

    def another_opens() -> None:
        if "i-0000ffff" in twin.nodes:
            twin.nodes["i-0000fffe"] = ("InService", 2)

    twin.after = another_opens

    with pytest.raises(Failure):
        rolled(twin)

    assert not any(said.startswith("end") for said in twin.changed)
    assert twin.changed[-2:] == ["delete 2", "version 3: ami-00000001"]


def test_a_version_of_terraforms_is_not_taken_back(rolled: Rolled) -> None:
    twin = Twin("InService")
    twin.versions[2], twin.default = (NEW, WORKERS), 2
    twin.becomes = ["Pending:Wait", "Terminating:Wait"]

    with pytest.raises(Failure, match="was not made by `labswarm roll` and stays"):
        rolled(twin)

    assert twin.changed == ["desired 2"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda twin: twin.group.update(MaxSize=1), "--cluster lab: .* at its maximum of 1"),
        (lambda twin: setattr(twin, "follows", "3"), "launches version 3 .* needs \\$Latest"),
        (
            lambda twin: twin.group["SuspendedProcesses"].append(
                {"ProcessName": "AlarmNotification"}
            ),
            "held by hand",
        ),
        (lambda twin: twin.images.pop(NEW), f"AMI {NEW}: There is no such image"),
        (
            lambda twin: twin.images.update({NEW: {**IMAGE, "State": "pending"}}),
            f"AMI {NEW} is pending",
        ),
        (
            lambda twin: twin.images.update({NEW: {**IMAGE, "Architecture": "arm64"}}),
            "Its Architecture is arm64, and that of ami-00000001 is x86_64",
        ),
    ],
)
def test_a_roll_that_cannot_be_done_is_refused_and_nothing_changed(
    rolled: Rolled, change: Callable[[Twin], Any], said: str
) -> None:
    twin = Twin("InService")
    change(twin)

    with pytest.raises(Refusal, match=said):
        rolled(twin)
    assert twin.changed == []
