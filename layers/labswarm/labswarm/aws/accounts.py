"""An account's limits, agents and alarms, from AWS."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labswarm.aws.errors import code_of, named
from labswarm.cluster import Cluster
from labswarm.errors import LabswarmError
from labswarm.groups import template_of
from labswarm.names import app_name
from labswarm.readiness.account import (
    CALLS_PER_NODE,
    Agent,
    Alarm,
    Kind,
    Limit,
    Quota,
    Rate,
    WorkerGroup,
)

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

# The families of the "standard" quotas, and not inf, hpc, dl or trn:
# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
_STANDARD = re.compile(r"(a|c|d|h|i|im|is|m|r|t|z)\d")
_STATES = ("pending", "running")
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600}


class AwsAccounts:
    """Implements labswarm.readiness.accounts.Accounts."""

    def __init__(
        self,
        autoscaling: "AutoScalingClient",
        ec2: "EC2Client",
        ssm: "SSMClient",
        quotas: "ServiceQuotasClient",
        cloudwatch: "CloudWatchClient",
        sns: "SNSClient",
    ) -> None:
        self._autoscaling = autoscaling
        self._ec2 = ec2
        self._ssm = ssm
        self._quotas = quotas
        self._cloudwatch = cloudwatch
        self._sns = sns

    @property
    def region(self) -> str:
        return self._ec2.meta.region_name

    def group(self, asg: str) -> WorkerGroup | None:
        with named():
            found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        for group in found["AutoScalingGroups"]:
            policy: Mapping[str, Any] = group.get("MixedInstancesPolicy", {})
            distribution = policy.get("InstancesDistribution", {})
            return WorkerGroup(
                name=asg,
                most=group["MaxSize"],
                base=distribution.get("OnDemandBaseCapacity", 0),
                # Without a policy all instances are on demand, which is the default of one too.
                percent=distribution.get("OnDemandPercentageAboveBaseCapacity", 100),
                kinds=self.kinds(sorted(set(self._types(group)))),
            )
        return None

    def _types(self, group: Mapping[str, Any]) -> Iterator[str]:
        """The instance types that the group launches: its policy's, or its launch template's."""
        launch = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        overrides = [
            one["InstanceType"] for one in launch.get("Overrides", []) if "InstanceType" in one
        ]
        yield from overrides
        if not overrides:
            template = template_of(group)
            which = str(template.get("Version", "$Default"))
            with named():
                versions = self._ec2.describe_launch_template_versions(
                    LaunchTemplateId=template["LaunchTemplateId"], Versions=[which]
                )["LaunchTemplateVersions"]
            for version in versions:
                if kind := version["LaunchTemplateData"].get("InstanceType"):
                    yield kind

    def kinds(self, types: Sequence[str]) -> list[Kind]:
        if not types:
            return []
        asked: Any = list(types)
        pages = self._ec2.get_paginator("describe_instance_types").paginate(InstanceTypes=asked)
        with named():
            return [
                Kind(
                    one["InstanceType"],
                    one["VCpuInfo"]["DefaultVCpus"],
                    one["MemoryInfo"]["SizeInMiB"] << 20,
                )
                for page in pages
                for one in page["InstanceTypes"]
            ]

    def limits(self, asg: str) -> list[Limit]:
        used = self._vcpus_used(asg)
        with named():
            used[Quota.ADDRESSES] = len(self._ec2.describe_addresses()["Addresses"])
        values = [(quota, self._value(quota)) for quota in Quota]
        return [
            Limit(quota, value, used.get(quota, 0)) for quota, value in values if value is not None
        ]

    def rates(self) -> list[Rate]:
        """The codes of these quotas are in no document of AWS, so all of the service are listed. A
        quota says its operation by its usage metric or in its name.

        https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ServiceQuota.html
        """
        defaults = self._quotas.get_paginator("list_aws_default_service_quotas")
        applied = self._quotas.get_paginator("list_service_quotas")
        with named():
            # An applied value comes after the default one. Of some quotas there is only that.
            pages = (*defaults.paginate(ServiceCode="ssm"), *applied.paginate(ServiceCode="ssm"))
        found: dict[str, Any] = {q["QuotaCode"]: q for page in pages for q in page["Quotas"]}
        rates = [(code, _operation(q), _per_s(q)) for code, q in sorted(found.items())]
        return [
            Rate(operation, per_s, code, found[code].get("Adjustable", False))
            for code, operation, per_s in rates
            if operation and per_s
        ]

    def addresses(self, asg: str) -> int | None:
        with named():
            (group,) = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])[
                "AutoScalingGroups"
            ]
            ids = [name for name in group.get("VPCZoneIdentifier", "").split(",") if name]
            if not ids:
                return None
            subnets = self._ec2.describe_subnets(SubnetIds=ids)["Subnets"]
        free = sum(subnet["AvailableIpAddressCount"] for subnet in subnets)
        return free + len(group["Instances"])

    def _value(self, quota: Quota) -> int | None:
        """The applied value of a quota, or its default if AWS has no applied one.

        https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
        """
        try:
            with named():
                applied = self._quotas.get_service_quota(
                    ServiceCode=quota.service, QuotaCode=quota.code
                )
                return int(applied["Quota"]["Value"])
        except LabswarmError as error:
            if code_of(error) != "NoSuchResourceException":
                raise
        try:
            with named():
                default = self._quotas.get_aws_default_service_quota(
                    ServiceCode=quota.service, QuotaCode=quota.code
                )
                return int(default["Quota"]["Value"])
        except LabswarmError as error:
            if code_of(error) != "NoSuchResourceException":
                raise
        return None

    def _vcpus_used(self, asg: str) -> dict[Quota, int]:
        """The vCPUs of running standard instances that are not in this group."""
        with named():
            others = [
                instance
                for page in self._ec2.get_paginator("describe_instances").paginate(
                    Filters=[{"Name": "instance-state-name", "Values": _STATES}]
                )
                for reservation in page["Reservations"]
                for instance in reservation["Instances"]
                if _STANDARD.match(instance["InstanceType"])
                and {"Key": "aws:autoscaling:groupName", "Value": asg}
                not in instance.get("Tags", [])
            ]
        types = sorted({str(instance["InstanceType"]) for instance in others})
        vcpus = {kind.name: kind.vcpus for kind in self.kinds(types)}
        used = {Quota.SPOT: 0, Quota.ON_DEMAND: 0}
        for instance in others:
            spot = instance.get("InstanceLifecycle") == "spot"
            used[Quota.SPOT if spot else Quota.ON_DEMAND] += vcpus[instance["InstanceType"]]
        return used

    def agents(self, cluster: str) -> list[Agent]:
        with named():
            ids = {
                instance["InstanceId"]
                for page in self._ec2.get_paginator("describe_instances").paginate(
                    Filters=[
                        {"Name": "instance-state-name", "Values": _STATES},
                        {"Name": "tag:labswarm:cluster", "Values": [cluster]},
                    ]
                )
                for reservation in page["Reservations"]
                for instance in reservation["Instances"]
            }
            return [
                Agent(
                    agent["InstanceId"],
                    agent.get("AgentVersion", ""),
                    agent["PingStatus"] == "Online",
                )
                for page in self._ssm.get_paginator("describe_instance_information").paginate()
                for agent in page["InstanceInformationList"]
                if agent["InstanceId"] in ids
            ]

    def missing(self, cluster: Cluster) -> list[str]:
        if cluster.timetable is None or not cluster.timetable.startswith("ssm:"):
            return []
        parameter = cluster.timetable.removeprefix("ssm:")
        try:
            with named():
                self._ssm.get_parameter(Name=parameter)
        except LabswarmError as error:
            if code_of(error) != "ParameterNotFound":
                raise
            return [parameter]
        return []

    def alarms(self) -> list[Alarm]:
        return [
            Alarm(
                alarm["AlarmName"],
                [arn for arn in alarm["AlarmActions"] if arn.split(":")[2:3] == ["sns"]],
                on=alarm["StateValue"] == "ALARM",
            )
            for alarm in described_alarms(self._cloudwatch)
        ]

    def subscribers(self, topics: Sequence[str]) -> dict[str, int]:
        """One that waits has no ARN yet.

        https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
        """
        counts: dict[str, int] = {}
        pages = self._sns.get_paginator("list_subscriptions_by_topic")
        for topic in topics:
            with named():
                counts[topic] = sum(
                    subscription["SubscriptionArn"].startswith("arn:")
                    for page in pages.paginate(TopicArn=topic)
                    for subscription in page["Subscriptions"]
                )
        return counts


def described_alarms(cloudwatch: "CloudWatchClient") -> Iterator[Mapping[str, Any]]:
    """Yield the app's alarms as CloudWatch describes them. Raises AWS's errors by kind."""
    with named():
        for page in cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=app_name("")
        ):
            yield from page["MetricAlarms"]
            yield from page.get("CompositeAlarms", [])


def _operation(quota: Mapping[str, Any]) -> str | None:
    dimensions = quota.get("UsageMetric", {}).get("MetricDimensions", {})
    words = {dimensions.get("Resource"), *re.findall(r"\w+", quota["QuotaName"])}
    return next((operation for operation in CALLS_PER_NODE if operation in words), None)


def _per_s(quota: Mapping[str, Any]) -> float | None:
    """The calls per second; None for a quota that is no rate."""
    period = quota.get("Period", {})
    seconds = _SECONDS.get(period.get("PeriodUnit"), 0) * period.get("PeriodValue", 0)
    if not seconds and re.search(r"per second|\bTPS\b", quota["QuotaName"]):
        seconds = 1
    return quota["Value"] / seconds if seconds else None
