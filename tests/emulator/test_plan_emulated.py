"""`labswarm plan` reads a cluster, its limits and its measured starts from an account."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import urllib3
from click.testing import CliRunner, Result
from tests.support.app_twins import DESCRIPTION
from tests.support.running_emulator import RunningEmulator

from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.cluster import asg_name
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursState
from labswarm_emulator.control import CONTROL
from labswarm_operator import account
from labswarm_operator.cli import labswarm

pytestmark = pytest.mark.emulator
GIB = 1 << 30
TOMORROW = datetime.now() + timedelta(days=1)


@pytest.fixture
def cluster(emulator: RunningEmulator, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of at most 20 workers, with a booked lab of 60 and ten measured starts."""
    monkeypatch.setattr(account, "clients", lambda name, aws: emulator.client)
    ec2 = emulator.client("ec2")
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.medium"},
    )
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    emulator.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=asg_name(name),
        MinSize=0,
        MaxSize=20,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        VPCZoneIdentifier=subnet["SubnetId"],
    )
    seat = {"memory_bytes": GIB // 2, "nano_cpus": 250_000_000}
    overhead = {"memory_bytes": GIB // 2, "nano_cpus": 100_000_000}
    described = {"name": name, "asg": asg_name(name), "seat": seat, "overhead": overhead}
    emulator.client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{name}", Type="String", Value=json.dumps(DESCRIPTION | described)
    )
    dynamodb = emulator.client("dynamodb")
    if TABLE not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    starts = TOMORROW.timestamp()
    booked = (Booking("Physics", starts, starts + 3600, 60),)
    DynamoLabHoursStates(dynamodb, TABLE).write_state(
        name, LabHoursState(node_seats=7, bookings=booked, starts_s=(80.0,) * 10)
    )
    quotas = f"{emulator.url}{CONTROL}faults/quotas"
    urllib3.request("PUT", quotas, json={"values": {"L-1216C47A": 9999, "L-34B43A08": 9999}})
    yield name
    urllib3.request("DELETE", quotas)
    emulator.client("autoscaling").delete_auto_scaling_group(
        AutoScalingGroupName=asg_name(name), ForceDelete=True
    )
    emulator.client("ssm").delete_parameter(Name=f"/labswarm/clusters/{name}")


def run(cluster: str, *words: str) -> Result:
    return CliRunner().invoke(labswarm, ["plan", "--cluster", cluster, *words])


def test_a_cluster_s_own_timetable_and_measured_starts_are_planned(cluster: str) -> None:
    result = run(cluster, "--json")

    assert result.exit_code == 0, result.output[:300]
    answer = json.loads(result.stdout)
    assert [lab["name"] for lab in answer["labs"]] == ["Physics"]
    assert (answer["seats_per_node"], answer["instance_type"]) == (7, "t3.medium")
    assert answer["not_checked"] == ["servers that the hub allows"]
    assert any("10 measured starts" in sentence for sentence in answer["assumed"])
    # 9 nodes for the lab, and with its headroom of 2 not one more.
    assert answer["nodes"] == 9
    assert answer["prices"]["on_demand"] > 0


def test_a_class_beyond_the_group_is_answered_with_the_number_that_fits(cluster: str) -> None:
    at = (TOMORROW + timedelta(days=1)).isoformat(timespec="minutes")
    result = run(cluster, "--students", "200", "--at", at)

    assert result.exit_code == 1
    assert "No: 140 of 200 students fit. Raise max_nodes from 20 to 29." in result.stdout


def test_an_unknown_cluster_and_an_unknown_type_are_refused(cluster: str) -> None:
    for words, sentence in (
        ((f"{cluster}x",), f"There is no cluster '{cluster}x'. Did you mean '{cluster}'?"),
        ((cluster, "--type", "m7i.larg"), "--type: There is no instance type 'm7i.larg' in this"),
    ):
        result = run(*words)
        assert (result.exit_code, sentence in result.output) == (2, True), result.output
