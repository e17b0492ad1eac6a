"""Read the facts that the checks before a lab need."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.cluster import Chef
from labswarm.errors import LabswarmError
from labswarm.groups import template_of
from labswarm.names import app_name
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals
from labswarm_operator.account import Clients, asked
from labswarm_operator.doctor.reading import ALARMS, read_group
from labswarm_operator.planning import question
from labswarm_operator.planning.reading import Account, Sizes, distributions, read_account
from labswarm_operator.ready.facts import Certificate, Readiness

SNAPSHOTS = app_name("snapshots")
"""The table's name in the template."""
SOON_S = 48 * 3600
"""How far ahead booked labs are looked at (seconds)."""
LOSSES = 0.05
"""The share of spot nodes that EC2 takes back per hour in the plan: the plan's own default."""
CONNECT_S = 5.0
SCORED_TYPES = 3
"""The score of fewer instance types is always low, whatever capacity there is:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html"""
T = TypeVar("T")


def read_readiness(clients: Clients, name: str, now: float | None = None) -> Readiness:
    """Read a cluster's facts. A check that this account or machine cannot make is named.

    Raises Refusal for an unknown cluster, and AWS's errors by kind.
    """
    now = time.time() if now is None else now
    account = read_account(clients, name, Sizes())
    reader = _Reader(clients, account, now)
    cluster, state = account.cluster, account.state
    labs = question.labs_of([lab for lab in state.labs if lab.starts <= now + SOON_S], now)
    times = distributions(cluster, state.starts_s, LOSSES)
    answer = plan(labs, cluster, Arrivals(), times, 1, now) if labs else None
    nodes = answer.nodes if answer else 1
    return Readiness(
        now=now,
        answer=answer,
        problems=state.all_problems,
        fed=state.read_at if cluster.description.timetable else None,
        snapshot_at=reader.snapshot_at(),
        images=reader.checked("images", reader.images) or {},
        homes=reader.checked("homes", reader.homes) or {},
        alarms_on=sorted(alarms_on(clients)),
        nodes=nodes,
        score=reader.checked("spot capacity", lambda: reader.score(nodes)),
        certificate=reader.checked(
            "Chef Server's certificate", lambda: certificate(cluster.description.chef)
        ),
        unchecked=reader.unchecked,
    )


@dataclass
class _Reader:
    clients: Clients
    account: Account
    now: float
    unchecked: list[str] = field(default_factory=list)

    def checked(self, what: str, read: Callable[[], T]) -> T | None:
        """The result of a check; None, with its reason noted, where it could not be made."""
        try:
            with asked():
                return read()
        except (LabswarmError, BotoCoreError, ResponseParserError, OSError) as error:
            self.unchecked.append(f"{what}: {str(error).splitlines()[0]}")
            return None

    def snapshot_at(self) -> float | None:
        with asked():
            name = self.account.cluster.description.name
            found = DynamoSnapshots(self.clients("dynamodb"), SNAPSHOTS).read_snapshot(name)
            return found.taken_at if found else None

    def images(self) -> dict[str, str]:
        """The images from which the group launches, each with its state."""
        ec2 = self.clients("ec2")
        asg = self.account.cluster.description.asg
        found = self.clients("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[asg]
        )["AutoScalingGroups"]
        states: dict[str, str] = {}
        for template in map(template_of, found):
            versions = ec2.describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"],
                Versions=[str(template.get("Version", "$Default"))],
            )["LaunchTemplateVersions"]
            for version in versions:
                image = version["LaunchTemplateData"].get("ImageId", "")
                # A filter, because an unknown id would be an error.
                seen = ec2.describe_images(Filters=[{"Name": "image-id", "Values": [image]}])
                states[image] = next((one["State"] for one in seen["Images"]), "")
        return states

    def homes(self) -> dict[str, str]:
        """The cluster's file system and its mount targets, each with its state."""
        efs, name = self.clients("efs"), self.account.cluster.description.name
        states: dict[str, str] = {}
        for page in efs.get_paginator("describe_file_systems").paginate():
            for one in page["FileSystems"]:
                if one.get("Name") == f"labswarm-{name}-homes":
                    states[one["FileSystemId"]] = one["LifeCycleState"]
                    targets = efs.describe_mount_targets(FileSystemId=one["FileSystemId"])
                    for target in targets["MountTargets"]:
                        states[target["MountTargetId"]] = target["LifeCycleState"]
        if not states:
            self.unchecked.append(f"homes: there is no file system labswarm-{name}-homes")
        return states

    def score(self, nodes: int) -> int | None:
        """EC2's placement score for so many spot instances in this region; None where it gives
        none, or where the group has too few types to be scored.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSpotPlacementScores.html
        """
        group = read_group(self.clients, self.account.cluster.description.asg)
        types = sorted(kind.name for kind in group.kinds) if group else []
        if len(types) < SCORED_TYPES:
            self.unchecked.append(
                f"spot capacity: EC2 scores {SCORED_TYPES} instance types or more, and the group "
                f"has {len(types)}"
            )
            return None
        found = self.clients("ec2").get_spot_placement_scores(
            InstanceTypes=types,
            TargetCapacity=nodes,
            TargetCapacityUnitType="units",
            SingleAvailabilityZone=False,
            RegionNames=[self.account.region],
        )["SpotPlacementScores"]
        return min((one["Score"] for one in found), default=None)


def alarms_on(clients: Clients) -> Iterator[str]:
    """Yield the app's alarms that are on. Raises AWS's errors by kind."""
    with asked():
        pages = clients("cloudwatch").get_paginator("describe_alarms")
        for page in pages.paginate(AlarmNamePrefix=ALARMS):
            for alarm in [*page["MetricAlarms"], *page.get("CompositeAlarms", [])]:
                if alarm["StateValue"] == "ALARM":
                    yield alarm["AlarmName"]


def certificate(chef: Chef) -> Certificate:
    """Return the Chef Server's certificate. Raises OSError where it is not reached from here."""
    at = urlsplit(chef.url)
    trusted = ssl.create_default_context(cadata=chef.ca_pem)
    host, port = at.hostname or "", at.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_S) as plain,
            trusted.wrap_socket(plain, server_hostname=host) as secure,
        ):
            ends = secure.getpeercert() or {}
            return Certificate(float(ssl.cert_time_to_seconds(str(ends["notAfter"]))))
    except ssl.SSLCertVerificationError as error:
        return Certificate(None, error.verify_message)
