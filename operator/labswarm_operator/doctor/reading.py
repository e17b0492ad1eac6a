"""Read the doctor's facts from AWS."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.errors import code_of
from labswarm.cluster import Cluster, asg_name
from labswarm.errors import BadInput, LabswarmError
from labswarm.groups import template_of
from labswarm.names import app_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.doctor.facts import Agent, Alarm, Facts, Kind, Limit, Quota, WorkerGroup
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

ALARMS = app_name("")
# The families of the "standard" quotas, and not inf, hpc, dl or trn:
# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
_STANDARD = re.compile(r"(a|c|d|h|i|im|is|m|r|t|z)\d")
_RUNNING = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]


def read_facts(clients: Clients, name: str) -> Facts:
    """Read all facts of a cluster and its account.

    Raises Refusal if there is neither a description nor a group of this name, and AWS's errors by
    kind.
    """
    with asked():
        cluster, problem = _described(clients, name)
        group = read_group(clients, cluster.asg if cluster else asg_name(name))
        if cluster is None and group is None:
            names = SsmClusters(clients("ssm")).names()
            if name not in names:
                raise Refusal(f"--cluster: {unknown('cluster', name, names)}")
        alarms = list(_alarms(clients))
        return Facts(
            name=name,
            cluster=cluster,
            problem=problem,
            group=group,
            limits=list(read_limits(clients, group.name if group else "")),
            agents=list(_agents(clients, name)),
            missing=list(_missing(clients, cluster)),
            alarms=alarms,
            subscribers=_subscribers(clients, alarms),
        )


def _described(clients: Clients, name: str) -> tuple[Cluster | None, str]:
    try:
        return SsmClusters(clients("ssm")).read_cluster(name), ""
    except BadInput as error:
        return None, str(error)


def _missing(clients: Clients, cluster: Cluster | None) -> Iterator[str]:
    """The parameters that the description names as ssm:NAME, and that do not exist."""
    named = [cluster.timetable] if cluster and cluster.timetable else []
    for parameter in (text.removeprefix("ssm:") for text in named if text.startswith("ssm:")):
        try:
            with asked():
                clients("ssm").get_parameter(Name=parameter)
        except LabswarmError as error:
            if code_of(error) != "ParameterNotFound":
                raise
            yield parameter


def read_group(clients: Clients, asg: str) -> WorkerGroup | None:
    """Return a group of workers; None where there is none of this name."""
    found = clients("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
    for group in found["AutoScalingGroups"]:
        policy = group.get("MixedInstancesPolicy", {})
        distribution = policy.get("InstancesDistribution", {})
        return WorkerGroup(
            name=asg,
            most=group["MaxSize"],
            base=distribution.get("OnDemandBaseCapacity", 0),
            # Without a policy all instances are on demand, which is the default of one too.
            percent=distribution.get("OnDemandPercentageAboveBaseCapacity", 100),
            kinds=read_kinds(clients, sorted(set(_types(clients, group)))),
        )
    return None


def _types(clients: Clients, group: Mapping[str, Any]) -> Iterator[str]:
    """The instance types that the group launches: its policy's, or its launch template's."""
    launch = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = [
        one["InstanceType"] for one in launch.get("Overrides", []) if "InstanceType" in one
    ]
    yield from overrides
    if not overrides:
        template = template_of(group)
        which = str(template.get("Version", "$Default"))
        versions = clients("ec2").describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=[which]
        )["LaunchTemplateVersions"]
        for version in versions:
            if kind := version["LaunchTemplateData"].get("InstanceType"):
                yield kind


def read_kinds(clients: Clients, types: Sequence[str]) -> list[Kind]:
    """Return the instance types of these names."""
    if not types:
        return []
    pages = clients("ec2").get_paginator("describe_instance_types").paginate(InstanceTypes=types)
    return [
        Kind(
            one["InstanceType"],
            one["VCpuInfo"]["DefaultVCpus"],
            one["MemoryInfo"]["SizeInMiB"] << 20,
        )
        for page in pages
        for one in page["InstanceTypes"]
    ]


def read_limits(clients: Clients, asg: str) -> Iterator[Limit]:
    """Yield the account's limits that AWS gives a value for, without the use by this group."""
    used = _vcpus_used(clients, asg)
    used[Quota.ADDRESSES] = len(clients("ec2").describe_addresses()["Addresses"])
    for quota in Quota:
        value = _value(clients, quota)
        if value is not None:
            yield Limit(quota, value, used.get(quota, 0))


def _value(clients: Clients, quota: Quota) -> int | None:
    """The applied value of a quota, or its default if AWS has no applied one.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
    """
    quotas = clients("service-quotas")
    for read in (quotas.get_service_quota, quotas.get_aws_default_service_quota):
        try:
            with asked():
                answer = read(ServiceCode=quota.service, QuotaCode=quota.code)
                return int(answer["Quota"]["Value"])
        except LabswarmError as error:
            if code_of(error) != "NoSuchResourceException":
                raise
    return None


def _vcpus_used(clients: Clients, asg: str) -> dict[Quota, int]:
    """The vCPUs of running standard instances that are not in this group."""
    pages = clients("ec2").get_paginator("describe_instances").paginate(Filters=_RUNNING)
    others = [
        instance
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if _STANDARD.match(instance["InstanceType"])
        and {"Key": "aws:autoscaling:groupName", "Value": asg} not in instance.get("Tags", [])
    ]
    types = sorted({instance["InstanceType"] for instance in others})
    vcpus = {kind.name: kind.vcpus for kind in read_kinds(clients, types)}
    used = {Quota.SPOT: 0, Quota.ON_DEMAND: 0}
    for instance in others:
        spot = instance.get("InstanceLifecycle") == "spot"
        used[Quota.SPOT if spot else Quota.ON_DEMAND] += vcpus[instance["InstanceType"]]
    return used


def _agents(clients: Clients, name: str) -> Iterator[Agent]:
    """The agents of the cluster's running instances."""
    tagged = [*_RUNNING, {"Name": "tag:labswarm:cluster", "Values": [name]}]
    pages = clients("ec2").get_paginator("describe_instances").paginate(Filters=tagged)
    ids = {
        instance["InstanceId"]
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    }
    for page in clients("ssm").get_paginator("describe_instance_information").paginate():
        for agent in page["InstanceInformationList"]:
            if agent["InstanceId"] in ids:
                online = agent["PingStatus"] == "Online"
                yield Agent(agent["InstanceId"], agent.get("AgentVersion", ""), online)


def _alarms(clients: Clients) -> Iterator[Alarm]:
    pages = clients("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARMS)
    for page in pages:
        for alarm in [*page["MetricAlarms"], *page.get("CompositeAlarms", [])]:
            topics = [arn for arn in alarm["AlarmActions"] if arn.split(":")[2:3] == ["sns"]]
            yield Alarm(alarm["AlarmName"], topics)


def _subscribers(clients: Clients, alarms: Sequence[Alarm]) -> dict[str, int]:
    """The confirmed subscriptions of each topic; one that waits has no ARN yet.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    """
    counts: dict[str, int] = {}
    for topic in sorted({topic for alarm in alarms for topic in alarm.topics}):
        pages = clients("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        counts[topic] = sum(
            subscription["SubscriptionArn"].startswith("arn:")
            for page in pages
            for subscription in page["Subscriptions"]
        )
    return counts
