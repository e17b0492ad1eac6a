"""`labswarm roll`: replace a cluster's workers by workers of another image.

A new version of the group's launch template is proven by one node that opens, or taken back. The
template's default version is the proven one. Once a node has opened, lab hours replace the others
(labswarm.lab_hours.demand), and this command only watches.
"""

import json
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.errors import code_of
from labswarm.cluster import Cluster
from labswarm.errors import LabswarmError
from labswarm.groups import IN_SERVICE, template_of, version_of
from labswarm.names import app_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.refusal import Failure, Refusal
from labswarm_operator.suggestions import unknown

AMI = re.compile(r"ami-[0-9a-f]{8,17}")
LATEST, DEFAULT = "$Latest", "$Default"
SNAPSHOTS = app_name("snapshots")
LAUNCHES = app_name("node-launch")
PATIENCE = 4
"""A node has this many times the cluster's `node_start_s` to open."""
LOOK_S = 1.0

Report = Callable[[Mapping[str, Any]], None]
"""Reports each event: `cluster`, `what`, `text` for a person, and fields of its own."""


@dataclass(frozen=True)
class Member:
    """An instance of the group, and the version of the launch template that it was made of."""

    instance_id: str
    state: str
    version: int

    @property
    def leaving(self) -> bool:
        return self.state.startswith("Terminat")

    @property
    def starting(self) -> bool:
        return self.state.startswith("Pending")


@dataclass(frozen=True)
class Seen:
    """The group at one moment; `most` is the smaller of its own and the cluster's limit."""

    desired: int
    least: int
    most: int
    held: bool
    template: str
    follows: str
    members: tuple[Member, ...]

    @property
    def starting(self) -> int:
        """How many instances are asked for and not in service yet."""
        staying = [m for m in self.members if not m.leaving]
        return max(0, self.desired - len(staying)) + sum(m.starting for m in staying)


@dataclass(frozen=True)
class Version:
    """A version of the launch template."""

    number: int
    ami: str
    description: str


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that an unproven version is taken back."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Roll:
    """One image for one cluster's workers. Every step can be begun again."""

    def __init__(self, clients: Clients, cluster: Cluster, ami: str, report: Report) -> None:
        self._ec2 = clients("ec2")
        self._autoscaling = clients("autoscaling")
        self._stepfunctions = clients("stepfunctions")
        self._snapshots = DynamoSnapshots(clients("dynamodb"), SNAPSHOTS)
        self._cluster = cluster
        self._ami = ami
        self._send = report
        self._patience_s = PATIENCE * cluster.node_start_s

    @classmethod
    def of(cls, clients: Clients, ami: str, cluster: str | None, report: Report) -> "Roll":
        """Raises Refusal or BadInput for a wrong image id, or an unknown or missing cluster."""
        if not AMI.fullmatch(ami):
            raise Refusal(f"AMI: {ami!r} is not an image id. Write one like ami-0123456789abcdef0.")
        with asked():
            clusters = SsmClusters(clients("ssm"))
            names = clusters.names()
            if cluster is None and len(names) != 1:
                known = ", ".join(names) or "none"
                raise Refusal(f"--cluster: Name the cluster to roll. There are: {known}.")
            if cluster is not None and cluster not in names:
                raise Refusal(f"--cluster: {unknown('cluster', cluster, names)}")
            return cls(clients, clusters.read_cluster(cluster or names[0]), ami, report)

    def run(self, *, dry_run: bool) -> None:
        """Make a version of the image, wait until its first node opens, and watch the others.

        Raises Refusal if it cannot begin, Failure if the first node does not open. The version is
        taken back then, and also by a KeyboardInterrupt before that node is open.
        """
        with asked():
            before = self._begin()
            latest = self._version(before.template, LATEST)
            new = latest.ami != self._ami
            if new:
                self._check_image(latest)
            of_it = [m for m in before.members if not new and m.version >= latest.number]
            proven = any(m.state == IN_SERVICE for m in of_it)
            first = not proven and not any(m.starting for m in of_it)
            if first and before.desired >= before.most:
                raise Refusal(
                    f"--cluster {self._cluster.name}: its group is at its maximum of {before.most} "
                    "nodes, and the first node of the image needs a place. Wait until the class is "
                    "smaller, or raise max_nodes by one."
                )
            if dry_run:
                self._report_plan(before, latest, new=new, first=first)
                return
            if new:
                self._await_quiet()
                latest = self._create(before.template, latest)
            if not proven:
                self._prove(before.template, latest, first=first)
            self._make_default(before.template, latest)
            self._watch(latest.number)

    def _begin(self) -> Seen:
        """Return the group if it can be rolled. Raises Refusal."""
        seen = self._look()
        if seen.follows != LATEST:
            raise Refusal(
                f"The group {self._cluster.asg} launches version {seen.follows or 'none'} of its "
                f"template. A roll needs {LATEST}, which terraform-base/modules/workers sets."
            )
        if seen.held:
            raise Refusal(
                f"The size of {self._cluster.asg} is held by hand (AlarmNotification is suspended) "
                "and lab hours replace no worker. Resume that process; in a lab with "
                f"`labswarm lab --name {self._cluster.name} scale auto`."
            )
        return seen

    def _check_image(self, latest: Version) -> None:
        """Check that the image exists, and fits the template like the former image."""
        image = self._image(self._ami)
        if image is None:
            raise Refusal(f"AMI {self._ami}: There is no such image in this account and region.")
        if image["State"] != "available":
            raise Refusal(f"AMI {self._ami} is {image['State']}. Wait until it is available.")
        former = self._image(latest.ami) or image
        for what in ("Architecture", "RootDeviceName"):
            if image.get(what) != former.get(what):
                raise Refusal(
                    f"AMI {self._ami}: Its {what} is {image.get(what)}, and that of {latest.ami} "
                    f"is {former.get(what)}. Give such an image to Terraform, as worker_ami."
                )

    def _image(self, ami: str) -> Mapping[str, Any] | None:
        try:
            with asked():
                found = self._ec2.describe_images(ImageIds=[ami])["Images"]
        except LabswarmError as error:
            if code_of(error).startswith("InvalidAMIID"):
                return None
            raise
        return next(iter(found), None)

    def _await_quiet(self) -> None:
        """Wait until no node starts: none of the old version may come after the first new one."""
        deadline = time.monotonic() + self._patience_s
        reported = 0
        while starting := self._look().starting:
            if time.monotonic() > deadline:
                raise Failure(
                    f"Nothing was changed: {starting} nodes still start after {self._patience_s} s."
                )
            if starting != reported:
                self._report("waiting", f"waiting for {starting} nodes that start", nodes=starting)
                reported = starting
            time.sleep(LOOK_S)

    def _create(self, template: str, latest: Version) -> Version:
        version = self._version_like(template, latest, self._ami)
        self._report(
            "version",
            f"version {version.number} of the launch template: {latest.ami} becomes {self._ami}",
            version=version.number,
        )
        return version

    def _version_like(self, template: str, source: Version, ami: str) -> Version:
        """Make a version that differs from its source in the image only."""
        # Terraform compares the description too, and a new version does not inherit it.
        description = {"VersionDescription": source.description} if source.description else {}
        made = self._ec2.create_launch_template_version(
            LaunchTemplateId=template,
            SourceVersion=str(source.number),
            LaunchTemplateData={"ImageId": ami},
            **description,
        )["LaunchTemplateVersion"]
        return Version(made["VersionNumber"], ami, source.description)

    def _prove(self, template: str, version: Version, *, first: bool) -> None:
        """Wait until a node of this version opens, or take the version back."""
        try:
            if first:
                desired = self._look().desired + 1
                self._autoscaling.set_desired_capacity(
                    AutoScalingGroupName=self._cluster.asg, DesiredCapacity=desired
                )
                self._report(
                    "launch", f"launching one more node, of the image: {desired}", desired=desired
                )
            opened = self._await_first(version.number)
        except KeyboardInterrupt:
            self._take_back(template, version)
            raise
        except (Failure, LabswarmError) as failure:
            raise Failure(f"{failure}; {self._take_back(template, version)}") from failure
        self._report("open", f"{opened} is open, so the image works", instance_id=opened)

    def _await_first(self, number: int) -> str:
        """Return the first node of the version that is in service and ready. Raises Failure."""
        deadline = time.monotonic() + self._patience_s
        known: dict[str, Member] = {}
        while True:
            now = {m.instance_id: m for m in self._look().members if m.version >= number}
            for instance_id in known | now:
                if instance_id not in now or now[instance_id].leaving:
                    raise Failure(f"{instance_id} did not open{self._cause(instance_id)}")
            known |= now
            ready = self._ready()
            for member in now.values():
                if member.state == IN_SERVICE and member.instance_id in ready:
                    return member.instance_id
            if time.monotonic() > deadline:
                states = ", ".join(f"{m.instance_id} {m.state}" for m in now.values()) or "none"
                raise Failure(f"After {self._patience_s} s no node of the image is open: {states}")
            time.sleep(LOOK_S)

    def _take_back(self, template: str, version: Version) -> str:
        """Restore the previous launch template; return the actions.

        No node of the version has opened, so no student is on the ended ones.
        """
        former = self._version(template, DEFAULT)
        if former.number == version.number:
            return (
                f"version {version.number} was not made by `labswarm roll` and stays. Give "
                "Terraform the former worker_ami, and apply."
            )
        with _uninterrupted():
            self._ec2.delete_launch_template_versions(
                LaunchTemplateId=template, Versions=[str(version.number)]
            )
            ended, served = [], False
            for member in self._look().members:
                if member.version < version.number or member.leaving:
                    continue
                if member.state == IN_SERVICE:
                    served = True
                else:
                    self._end(member.instance_id)
                    ended.append(member.instance_id)
            if served or self._version(template, LATEST).ami != former.ami:
                # The newest version, so that nodes of this one that did open are replaced too.
                again = self._version_like(template, former, former.ami)
                self._make_default(template, again)
        said = f"version {version.number} is taken back, the group launches {former.ami}"
        if ended:
            said += f"; ended: {', '.join(ended)}"
        self._report("taken back", said, version=version.number, ended=ended)
        return said

    def _make_default(self, template: str, version: Version) -> None:
        self._ec2.modify_launch_template(
            LaunchTemplateId=template, DefaultVersion=str(version.number)
        )

    def _end(self, instance_id: str) -> None:
        seen = self._look()
        try:
            with asked():
                self._autoscaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance_id, ShouldDecrementDesiredCapacity=seen.desired > seen.least
                )
        except LabswarmError as error:
            if code_of(error) not in ("ScalingActivityInProgress", "ValidationError"):
                raise

    def _watch(self, number: int) -> None:
        """Report progress until no node of an older version is left."""
        reported = ""
        while True:
            seen = self._look()
            snapshot = self._snapshots.read_snapshot(self._cluster.name)
            of = {n.instance_id: n for n in (snapshot.nodes if snapshot else ())}
            new = [m for m in seen.members if m.version >= number and m.state == IN_SERVICE]
            older = [m for m in seen.members if m.version < number]
            old = [of[m.instance_id] for m in older if m.instance_id in of]
            paused = sum(n.availability != "active" for n in old)
            students = sum(n.seats_used for n in old)
            text = (
                f"{len(new)} new; {len(older)} old, {paused} of them paused, "
                f"{students} students there"
            )
            if older and seen.desired >= seen.most:
                text += f"; the group is at its maximum of {seen.most}"
            counts = {"new": len(new), "old": len(older), "paused": paused, "students": students}
            if not older:
                self._report(
                    "done",
                    f"all workers of {self._cluster.name} have the image {self._ami}",
                    **counts,
                )
                return
            if text != reported:
                self._report("replacing", text, **counts)
                reported = text
            time.sleep(LOOK_S)

    def _report_plan(self, before: Seen, latest: Version, *, new: bool, first: bool) -> None:
        old = sum(new or m.version < latest.number for m in before.members)
        steps = [
            *([f"make a version after {latest.number}: {latest.ami} becomes {self._ami}"] * new),
            *(["launch one more node, of the image, and wait until it opens"] * first),
            f"replace {old} older nodes",
        ]
        self._report("plan", "Plan: " + "; ".join(steps), new=new, first=first, old=old)

    def _look(self) -> Seen:
        described = self._autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=[self._cluster.asg]
        )["AutoScalingGroups"]
        if not described:
            raise Refusal(f"--cluster {self._cluster.name}: There is no group {self._cluster.asg}.")
        (group,) = described
        template = template_of(group)
        most = self._cluster.max_nodes
        return Seen(
            desired=group["DesiredCapacity"],
            least=group["MinSize"],
            most=group["MaxSize"] if most is None else min(most, group["MaxSize"]),
            held="AlarmNotification"
            in {process["ProcessName"] for process in group.get("SuspendedProcesses", [])},
            template=str(template.get("LaunchTemplateId", "")),
            follows=str(template.get("Version", "")),
            members=tuple(
                Member(one["InstanceId"], one["LifecycleState"], version_of(one, template))
                for one in group["Instances"]
            ),
        )

    def _version(self, template: str, which: str) -> Version:
        (found,) = self._ec2.describe_launch_template_versions(
            LaunchTemplateId=template, Versions=[which]
        )["LaunchTemplateVersions"]
        return Version(
            found["VersionNumber"],
            found["LaunchTemplateData"].get("ImageId", ""),
            found.get("VersionDescription") or "",
        )

    def _ready(self) -> frozenset[str | None]:
        snapshot = self._snapshots.read_snapshot(self._cluster.name)
        nodes = snapshot.nodes if snapshot else ()
        return frozenset(node.instance_id for node in nodes if node.state == "ready")

    def _cause(self, instance_id: str) -> str:
        """Return why the app abandoned the launch, empty if it did not."""
        for page in self._stepfunctions.get_paginator("list_state_machines").paginate():
            for machine in page["stateMachines"]:
                if machine["name"] == LAUNCHES:
                    return self._cause_in(machine["stateMachineArn"], instance_id)
        return ""

    def _cause_in(self, machine: str, instance_id: str) -> str:
        failed = self._stepfunctions.list_executions(
            stateMachineArn=machine, statusFilter="FAILED", maxResults=20
        )["executions"]
        for execution in failed:
            seen = self._stepfunctions.describe_execution(executionArn=execution["executionArn"])
            if json.loads(seen["input"]).get("detail", {}).get("EC2InstanceId") == instance_id:
                return f" ({seen.get('error', 'failed')}: {seen.get('cause', 'no cause')})"
        return ""

    def _report(self, what: str, text: str, **fields: Any) -> None:
        self._send({"cluster": self._cluster.name, "what": what, **fields, "text": text})


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Work that has begun inside is not interrupted."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
