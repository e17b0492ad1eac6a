"""The doctor's rules: the class that fits, and a finding with a remedy for each gap."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation.simulation import Simulation
from tests.support.app_twins import DESCRIPTION

from labswarm.aws.accounts import AwsAccounts
from labswarm.cluster import Cluster
from labswarm.readiness.account import (
    CALLS_PER_NODE,
    Agent,
    Alarm,
    Facts,
    Kind,
    Limit,
    Quota,
    Rate,
    WorkerGroup,
)
from labswarm.readiness.account_rules import Finding, diagnose
from labswarm.readiness.fit import Fit, fit
from labswarm_operator import doctor_report as report

GIB = 1 << 30
MEDIUM = Kind("t3.medium", 2, 4 * GIB)
XLARGE = Kind("m5.xlarge", 4, 16 * GIB)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
GROUP = WorkerGroup("labswarm-lab-workers", most=20, base=0, percent=0, kinds=[MEDIUM])
CLUSTER = Cluster.parse(
    json.dumps(
        DESCRIPTION
        | {
            "seat": {"memory_bytes": GIB // 2, "nano_cpus": 250_000_000},
            "overhead": {"memory_bytes": GIB // 2, "nano_cpus": 100_000_000},
        }
    )
)


def limits(**values: int) -> list[Limit]:
    usual = {"CONCURRENCY": 1000, "ON_DEMAND": 64, "SPOT": 64, "ADDRESSES": 5}
    return [Limit(Quota[name], value, used=2) for name, value in {**usual, **values}.items()]


def facts(**changed: Any) -> Facts:
    """An account in which nothing is wrong."""
    sound = Facts(
        name="lab",
        cluster=CLUSTER,
        problem="",
        group=GROUP,
        limits=limits(),
        agents=[Agent("i-0000000a", "3.3.2746.0", online=True)],
        missing=[],
        alarms=[Alarm("labswarm-Failed", [TOPIC])],
        subscribers={TOPIC: 1},
    )
    return replace(sound, **changed)


def found(**changed: Any) -> Finding:
    """The one finding."""
    seen = facts(**changed)
    (finding,) = diagnose(seen, fit(seen))
    return finding


def fitting(**changed: Any) -> Fit:
    fits = fit(facts(**changed))
    assert fits is not None
    return fits


def test_nothing_is_found_in_a_sound_account() -> None:
    sound = facts()
    assert diagnose(sound, fit(sound)) == []
    assert list(report.lines(sound, fit(sound), []))[-1] == "Nothing is wrong."


def test_the_class_is_the_nodes_that_the_spot_quota_allows_times_their_seats() -> None:
    whole, cut = fitting(), fitting(limits=limits(SPOT=12))
    assert (whole.nodes, whole.students) == (20, 20 * 7)
    assert whole.limited_by == "the maximum size of the group labswarm-lab-workers"
    assert (cut.nodes, cut.students, cut.wanted) == (5, 5 * 7, 20)
    assert cut.limited_by == Quota.SPOT.label


def test_a_mix_of_types_counts_the_fewest_seats_and_the_most_vcpus() -> None:
    fits = fitting(group=replace(GROUP, kinds=[MEDIUM, XLARGE]), limits=limits(SPOT=12))
    assert (fits.nodes, fits.students) == (2, 2 * 7)


@pytest.mark.parametrize(
    ("base", "percent", "nodes", "on_demand"),
    [(0, 0, 20, 0), (2, 0, 20, 2), (0, 100, 20, 20), (2, 50, 5, 4), (4, 0, 3, 3)],
)
def test_on_demand_instances_are_the_base_and_a_share_rounded_up(
    base: int, percent: int, nodes: int, on_demand: int
) -> None:
    assert replace(GROUP, base=base, percent=percent).on_demand(nodes) == on_demand


def test_a_cluster_s_own_maximum_limits_its_class() -> None:
    fits = fitting(cluster=replace(CLUSTER, max_nodes=3))
    assert (fits.nodes, fits.limited_by) == (3, "max_nodes of the cluster")


def test_too_few_spot_vcpus_are_found_with_the_request_for_all() -> None:
    finding = found(limits=limits(SPOT=12))
    assert finding.subject == Quota.SPOT.label
    assert "20 workers of lab need 40. The quota is 12, and 2 are in use" in finding.problem
    assert finding.remedy.endswith("--service-code ec2 --quota-code L-34B43A08 --desired-value 42")


def test_too_few_on_demand_vcpus_are_found_where_the_group_is_on_demand() -> None:
    finding = found(group=replace(GROUP, percent=100), limits=limits(ON_DEMAND=8))
    assert (finding.subject, "L-1216C47A" in finding.remedy) == (Quota.ON_DEMAND.label, True)


def test_too_little_concurrency_is_found_with_the_number_of_workers_that_start_at_once() -> None:
    finding = found(limits=limits(CONCURRENCY=10))
    assert "at most 6 workers start at the same time" in finding.problem
    assert finding.remedy.endswith("--quota-code L-B99A9384 --desired-value 24")


@pytest.mark.parametrize(("per_s", "late_s"), [(1.0, 100), (0.5, 200)])
def test_a_rate_of_systems_manager_that_makes_a_class_late_is_found(
    per_s: float, late_s: int
) -> None:
    finding = found(rates=[Rate("SendCommand", per_s, "L-1", adjustable=True)])
    assert finding.subject == "Systems Manager, SendCommand"
    assert f"20 workers that start at the same time need 100 calls, which take {late_s} s" in (
        finding.problem
    )
    assert finding.remedy.endswith("--service-code ssm --quota-code L-1 --desired-value 2")


def test_a_rate_that_aws_does_not_raise_has_nodes_start_earlier() -> None:
    finding = found(rates=[Rate("SendCommand", 1.0, "L-1", adjustable=False)])
    assert "add 100 s to node_start_seconds in the stack of lab" in finding.remedy


def test_a_rate_that_is_enough_is_shown_and_is_no_finding() -> None:
    seen = facts(rates=[Rate("SendCommand", 2.0, "L-1", adjustable=True)])
    assert diagnose(seen, fit(seen)) == []
    shown = list(report.lines(seen, fit(seen), []))
    assert "  Systems Manager, SendCommand: 2 calls per second" in shown
    assert "  Systems Manager: AWS lists no rate of the app's calls" in list(
        report.lines(facts(), fit(facts()), [])
    )


QUOTA = {"QuotaCode": "L-1", "Value": 600.0, "Adjustable": True}
RESOURCE = {"MetricDimensions": {"Type": "API", "Resource": "SendCommand"}}


@pytest.mark.parametrize(
    ("said", "per_s"),
    [
        ({"QuotaName": "Transactions per second (TPS) for the SendCommand API"}, 600),
        (
            {
                "QuotaName": "Rate of commands",
                "UsageMetric": RESOURCE,
                "Period": {"PeriodValue": 1, "PeriodUnit": "MINUTE"},
            },
            10,
        ),
        ({"QuotaName": "SendCommand targets"}, None),
        ({"QuotaName": "Transactions per second (TPS) for the StartSession API"}, None),
    ],
)
def test_a_quota_says_its_operation_and_its_rate(said: dict[str, Any], per_s: float | None) -> None:
    class Quotas:
        def get_paginator(self, operation: str) -> "Quotas":
            return Quotas()

        def paginate(self, ServiceCode: str) -> list[dict[str, Any]]:  # noqa: N803  # as boto3 has it
            assert ServiceCode == "ssm"
            return [{"Quotas": [{**QUOTA, **said}]}]

    read = AwsAccounts(*(Quotas() for _ in range(6))).rates()  # type: ignore[arg-type]

    expected = [] if per_s is None else [Rate("SendCommand", per_s, "L-1", adjustable=True)]
    assert read == expected


def test_the_calls_of_a_node_are_those_of_a_launch() -> None:
    with Simulation() as simulation:
        looks = Counter[str]()
        describe = simulation.ssm.describe_instance_information

        def counted(Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
            looks["DescribeInstanceInformation"] += 1
            return describe(Filters)

        simulation.ssm.describe_instance_information = counted  # type: ignore[method-assign]
        simulation.opened(1)
        calls = simulation.faults.calls

    looks["SendCommand"] = calls["ssm.send_command"]
    looks["GetCommandInvocation"] = calls["ssm.get_command_invocation"]
    assert looks == CALLS_PER_NODE


def test_addresses_that_are_all_in_use_are_found() -> None:
    assert "--desired-value 3" in found(limits=limits(ADDRESSES=2)).remedy


@pytest.mark.parametrize("version", ["3.3.2745.9", "3.2.9999.0", ""])
def test_an_agent_before_3_3_2746_is_found(version: str) -> None:
    finding = found(agents=[Agent("i-0000000a", version, online=True)])
    assert finding.subject == "instance i-0000000a"
    assert "need 3.3.2746 or later" in finding.problem
    assert "labswarm roll AMI --aws --cluster lab" in finding.remedy


def test_an_agent_that_is_offline_is_found() -> None:
    finding = found(agents=[Agent("i-0000000a", "3.3.2746.0", online=False)])
    assert "offline" in finding.problem


def test_a_missing_parameter_is_found_by_name() -> None:
    assert found(missing=["/labswarm/timetables/lab"]).subject == (
        "parameter /labswarm/timetables/lab"
    )


def test_a_description_that_cannot_be_read_is_found_with_its_reason() -> None:
    finding = found(cluster=None, problem="cluster: 'lab' has no parameter /labswarm/clusters/lab")
    assert finding.problem == "cluster: 'lab' has no parameter /labswarm/clusters/lab"


def test_a_topic_without_a_subscriber_is_found_once_for_all_its_alarms() -> None:
    alarms = [Alarm("labswarm-A", [TOPIC]), Alarm("labswarm-B", [TOPIC])]
    finding = found(alarms=alarms, subscribers={TOPIC: 0})
    assert (finding.subject, finding.problem[:8]) == (f"topic {TOPIC}", "2 alarms")
    assert "AlarmEmail=" in finding.remedy


def test_alarms_without_a_topic_and_no_alarms_at_all_are_found() -> None:
    silent = found(alarms=[Alarm("labswarm-A", [TOPIC]), Alarm("labswarm-B", [])])
    assert "labswarm-B" in silent.problem
    assert "no alarm of the app" in found(alarms=[]).problem


def test_json_has_the_class_the_quotas_and_the_findings() -> None:
    seen = facts(limits=limits(SPOT=12))
    shown = json.loads(report.as_json(seen, fit(seen), diagnose(seen, fit(seen))))
    assert (shown["cluster"], shown["class"]["students"]) == ("lab", 35)
    assert {"code": "L-34B43A08", "value": 12, "used": 2}.items() <= shown["quotas"][2].items()
    assert set(shown["findings"][0]) == {"subject", "problem", "remedy"}
