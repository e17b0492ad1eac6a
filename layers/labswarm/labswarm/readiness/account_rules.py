"""The doctor's rules: from facts to findings, each with a remedy."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from labswarm.readiness.account import CALLS_PER_NODE, Facts, Limit, Quota
from labswarm.readiness.fit import Fit, vcpus

LEAST_AGENT = (3, 3, 2746)
"""The first SSM agent that hands a document's values over as environment variables.
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html"""
LEAST_CONCURRENCY = 10
"""A new account has as much. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""
LONGEST_S = 60
"""The seconds by which a rate may delay the nodes of a class that start at the same time."""
OTHER_CALLS = 4
"""The functions that run besides a call for each node that starts: the minute, reconcile."""


@dataclass(frozen=True)
class Finding:
    """A problem with its subject, and the command or step that solves it."""

    subject: str
    problem: str
    remedy: str


def diagnose(facts: Facts, fits: Fit | None) -> list[Finding]:
    """Return all findings; none if nothing is wrong."""
    return [
        *_description(facts),
        *_vcpus(facts, fits),
        *_concurrency(facts, fits),
        *_rates(facts, fits),
        *_addresses(facts),
        *_agents(facts),
        *_alarms(facts),
    ]


def request(quota: Quota, value: int) -> str:
    """Return the command that requests a higher quota."""
    return request_increase(quota.service, quota.code, value)


def request_increase(service: str, code: str, value: int) -> str:
    """Return the command that requests a higher value of the quota with this code."""
    return (
        f"Request it: aws service-quotas request-service-quota-increase --service-code "
        f"{service} --quota-code {code} --desired-value {value}"
    )


def _description(facts: Facts) -> Iterator[Finding]:
    if facts.cluster is None:
        yield Finding(
            f"cluster {facts.name}",
            facts.problem,
            "Apply the cluster's Terraform stack again: it writes this parameter.",
        )
    elif facts.group is None:
        yield Finding(
            f"cluster {facts.name}",
            f"There is no Auto Scaling group {facts.cluster.asg}.",
            "Apply the cluster's Terraform stack again.",
        )
    for parameter in facts.missing:
        yield Finding(
            f"parameter {parameter}",
            f"The cluster {facts.name} names this parameter, and it does not exist.",
            f"Create it, or change the setting in the stack of {facts.name}.",
        )


def _vcpus(facts: Facts, fits: Fit | None) -> Iterator[Finding]:
    if facts.group is None or fits is None:
        return
    for quota in (Quota.SPOT, Quota.ON_DEMAND):
        limit = facts.limit(quota)
        needed = vcpus(facts.group, fits.wanted, quota)
        if limit and needed > limit.free:
            yield Finding(
                quota.label,
                f"{fits.wanted} workers of {facts.name} need {needed}. The quota is {limit.value}, "
                f"and {limit.used} are in use elsewhere.",
                request(quota, limit.used + needed),
            )


def _concurrency(facts: Facts, fits: Fit | None) -> Iterator[Finding]:
    limit = facts.limit(Quota.CONCURRENCY)
    if limit is None:
        return
    needed = max(LEAST_CONCURRENCY, (fits.nodes if fits else 0) + OTHER_CALLS)
    if limit.value < needed:
        at_once = max(0, limit.value - OTHER_CALLS)
        yield Finding(
            Quota.CONCURRENCY.label,
            f"The quota is {limit.value}, so at most {at_once} workers start at the same time. "
            "The others start late or fail.",
            request(Quota.CONCURRENCY, needed),
        )


def _rates(facts: Facts, fits: Fit | None) -> Iterator[Finding]:
    """Throttled calls are tried again, so a low rate makes a class late and loses no node."""
    nodes = fits.nodes if fits else 0
    for rate in facts.rates:
        calls = CALLS_PER_NODE[rate.operation] * nodes
        if calls > rate.per_s * LONGEST_S:
            late_s = math.ceil(calls / rate.per_s) if rate.per_s else math.inf
            needed = math.ceil(calls / LONGEST_S)
            yield Finding(
                f"Systems Manager, {rate.operation}",
                f"The quota is {rate.per_s:g} calls per second. {nodes} workers that start at the "
                f"same time need {calls} calls, which take {late_s} s.",
                request_increase("ssm", rate.code, needed)
                if rate.adjustable
                else "AWS does not raise this quota on request. Start the nodes earlier: add "
                f"{late_s} s to node_start_seconds in the stack of {facts.name}.",
            )


def _addresses(facts: Facts) -> Iterator[Finding]:
    limit = facts.limit(Quota.ADDRESSES)
    if limit and not limit.free:
        yield Finding(
            Quota.ADDRESSES.label,
            f"All {limit.value} are in use. A further cluster needs one for its hub.",
            request(Quota.ADDRESSES, limit.used + 1),
        )


def _agents(facts: Facts) -> Iterator[Finding]:
    least = ".".join(map(str, LEAST_AGENT))
    for agent in facts.agents:
        if not agent.online:
            yield Finding(
                f"instance {agent.instance_id}",
                "Its SSM agent is offline, so no command reaches it.",
                "Check its security group and its route to Systems Manager; then restart the agent "
                "or replace the instance.",
            )
        elif _version(agent.version) < LEAST_AGENT:
            yield Finding(
                f"instance {agent.instance_id}",
                f"Its SSM agent is {agent.version or 'of an unknown version'}. The app's documents "
                f"need {least} or later.",
                "Build the image again (packer build), and roll it: labswarm roll AMI --aws "
                f"--cluster {facts.name}. On a hub: AWS-UpdateSSMAgent.",
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _alarms(facts: Facts) -> Iterator[Finding]:
    if not facts.alarms:
        yield Finding(
            "alarms", "The account has no alarm of the app.", "Deploy the app: sam deploy."
        )
    silent = [alarm.name for alarm in facts.alarms if not alarm.topics]
    if silent:
        yield Finding(
            "alarms",
            f"These alarms have no topic: {', '.join(silent)}.",
            "Deploy the app again: sam deploy.",
        )
    topics = sorted({topic for alarm in facts.alarms for topic in alarm.topics})
    for topic in topics:
        if not facts.subscribers.get(topic):
            count = sum(topic in alarm.topics for alarm in facts.alarms)
            yield Finding(
                f"topic {topic}",
                f"{count} alarms notify this topic, and it has no confirmed subscriber.",
                "Deploy with an address (sam deploy --parameter-overrides AlarmEmail=ADDRESS), and "
                "confirm the mail that AWS sends.",
            )


def said(limit: Limit) -> str:
    """Return a limit as one line."""
    return f"{limit.quota.label}: {limit.used} of {limit.value} in use elsewhere"
