"""`labswarm doctor` and `labswarm ready` against the emulator: planted faults, each named with its
remedy."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner, Result
from tests.support.app_twins import DESCRIPTION
from tests.support.running_emulator import RunningEmulator, eventually

from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.cluster import asg_name
from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.state import LabHoursState
from labswarm.snapshot import Snapshot
from labswarm_emulator.control import CONTROL
from labswarm_operator import account
from labswarm_operator.cli import labswarm
from labswarm_operator.readiness import SNAPSHOTS

pytestmark = pytest.mark.emulator
GIB = 1 << 30
SOUND = {"L-34B43A08": 9999, "L-1216C47A": 9999, "L-0263D0A3": 5}


def fault(emulator: RunningEmulator, kind: str, **settings: Any) -> None:
    method = "PUT" if settings else "DELETE"
    url = f"{emulator.url}{CONTROL}faults/{kind}"
    answer = urllib3.request(method, url, json=settings or None)
    assert answer.status < 300, answer.data


@pytest.fixture
def cluster(emulator: RunningEmulator, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster in which nothing is wrong: 20 workers at most, on spot, and a hub that runs."""
    monkeypatch.setattr(account, "clients", lambda name, aws: emulator.client)
    ec2 = emulator.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.medium"},
    )
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    emulator.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=asg_name(name),
        MinSize=0,
        MaxSize=20,
        DesiredCapacity=0,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"},
                "Overrides": [{"InstanceType": "t3.medium"}],
            },
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0,
            },
        },
        VPCZoneIdentifier=subnet["SubnetId"],
    )
    describe(emulator, name)
    tags = [
        {"Key": "labswarm:cluster", "Value": name},
        {"Key": "labswarm:role", "Value": "hub"},
    ]
    hub = ec2.run_instances(
        ImageId=image,
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]["InstanceId"]
    eventually(lambda: hub in online(emulator))
    topic = emulator.client("sns").create_topic(Name=name)["TopicArn"]
    emulator.client("cloudwatch").put_metric_alarm(
        AlarmName=f"labswarm-{name}",
        AlarmActions=[topic],
        Namespace="labswarm",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )
    fault(emulator, "quotas", values=SOUND)
    yield name
    fault(emulator, "quotas")
    fault(emulator, "agents")
    fault(emulator, "concurrency")
    fault(emulator, "rates")
    emulator.client("cloudwatch").delete_alarms(AlarmNames=[f"labswarm-{name}"])
    emulator.client("autoscaling").delete_auto_scaling_group(
        AutoScalingGroupName=asg_name(name), ForceDelete=True
    )
    ec2.terminate_instances(InstanceIds=[hub])


def describe(emulator: RunningEmulator, name: str, timetable: str | None = None) -> None:
    description = DESCRIPTION | {
        "name": name,
        "asg": asg_name(name),
        "seat": {"memory_bytes": GIB // 2, "nano_cpus": 250_000_000},
        "overhead": {"memory_bytes": GIB // 2, "nano_cpus": 100_000_000},
        "timetable": timetable,
        # Nothing listens there.
        "chef": DESCRIPTION["chef"] | {"url": "https://127.0.0.1:1"},
    }
    emulator.client("ssm").put_parameter(
        Name=f"/labswarm/clusters/{name}",
        Type="String",
        Value=json.dumps(description),
        Overwrite=True,
    )


def online(emulator: RunningEmulator) -> set[str]:
    listed = emulator.client("ssm").describe_instance_information()["InstanceInformationList"]
    return {agent["InstanceId"] for agent in listed if agent["PingStatus"] == "Online"}


def subscribe(emulator: RunningEmulator, name: str) -> None:
    arn = f"arn:aws:sns:eu-west-1:123456789012:{name}"
    queue = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    emulator.client("sqs").create_queue(QueueName=name)
    emulator.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)


def doctor(*words: str) -> Result:
    return CliRunner().invoke(labswarm, ["doctor", "--aws", *words])


def test_nothing_is_found_in_a_sound_cluster_and_the_class_size_is_printed(
    emulator: RunningEmulator, cluster: str
) -> None:
    subscribe(emulator, cluster)
    done = doctor("--cluster", cluster)
    assert (done.exit_code, "Nothing is wrong." in done.output) == (0, True), done.output
    assert f"{cluster}: a class of 140 fits, on 20 of 20 workers" in done.output


def test_five_planted_faults_are_each_named_with_a_remedy(
    emulator: RunningEmulator, cluster: str
) -> None:
    used = json.loads(doctor("--cluster", cluster, "--json").output)["quotas"]
    spot_used = next(quota["used"] for quota in used if quota["code"] == "L-34B43A08")
    fault(
        emulator,
        "quotas",
        values={**SOUND, "L-34B43A08": spot_used + 8},
    )
    fault(emulator, "concurrency", account=5)
    fault(emulator, "agents", version="3.2.582.0")
    describe(emulator, cluster, timetable=f"ssm:/labswarm/timetables/{cluster}")

    done = doctor("--cluster", cluster, "--json")

    said = json.loads(done.output)
    assert done.exit_code == 1
    assert (said["class"]["nodes"], said["class"]["students"]) == (4, 28)
    remedies = {finding["subject"]: finding["remedy"] for finding in said["findings"]}
    assert set(remedies) == {
        "vCPUs of standard spot instances",
        "Lambda concurrent executions",
        f"parameter /labswarm/timetables/{cluster}",
        f"topic arn:aws:sns:eu-west-1:123456789012:{cluster}",
        *(subject for subject in remedies if subject.startswith("instance i-")),
    }
    assert sum(subject.startswith("instance i-") for subject in remedies) == 1
    assert (
        f"--quota-code L-34B43A08 --desired-value {spot_used + 40}"
        in (remedies["vCPUs of standard spot instances"])
    )
    assert all(remedies.values())


def test_a_rate_of_systems_manager_is_read_and_compared_with_the_class(
    emulator: RunningEmulator, cluster: str
) -> None:
    subscribe(emulator, cluster)
    fault(emulator, "rates", calls_per_s={"ssm:SendCommand": 0.5, "ssm:ListCommands": 0.5})

    done = doctor("--cluster", cluster, "--json")

    said = json.loads(done.output)
    assert [(rate["operation"], rate["per_s"]) for rate in said["rates"]] == [("SendCommand", 0.5)]
    (finding,) = said["findings"]
    assert finding["subject"] == "Systems Manager, SendCommand"
    assert "20 workers that start at the same time need 100 calls" in finding["problem"]
    assert "--service-code ssm" in finding["remedy"]


def test_a_cluster_that_is_not_there_is_refused_with_the_nearest_one(cluster: str) -> None:
    done = doctor("--cluster", f"{cluster}x")
    assert done.exit_code == 2
    assert f"Did you mean '{cluster}'?" in done.output


def test_a_group_without_its_description_is_a_finding(
    emulator: RunningEmulator, cluster: str
) -> None:
    emulator.client("ssm").delete_parameter(Name=f"/labswarm/clusters/{cluster}")
    done = doctor("--cluster", cluster)
    assert (done.exit_code, f"/labswarm/clusters/{cluster}" in done.output) == (1, True)


def booked(
    emulator: RunningEmulator, name: str, seats: int, snapshot_s: float, *, bad: str
) -> None:
    """Let the app know a lab in an hour, and the Swarm as it was so many seconds ago."""
    dynamodb = emulator.client("dynamodb")
    for table in {TABLE, SNAPSHOTS} - set(dynamodb.list_tables()["TableNames"]):
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "cluster", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "cluster", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    now = time.time()
    lab = Booking("Physics", now + 3600, now + 7200, seats)
    state = LabHoursState(node_seats=7, bookings=(lab,), problems=(bad,) if bad else ())
    DynamoLabHoursStates(dynamodb, TABLE).write_state(name, state)
    snapshots = DynamoSnapshots(dynamodb, SNAPSHOTS)
    snapshots.write_snapshot(Snapshot(name, now - snapshot_s, (), 0, 0))


def ready(*words: str) -> Result:
    return CliRunner().invoke(labswarm, ["ready", "--aws", *words], catch_exceptions=False)


def test_a_sound_cluster_is_ready_and_checks_that_cannot_be_made_are_named(
    emulator: RunningEmulator, cluster: str
) -> None:
    subscribe(emulator, cluster)
    booked(emulator, cluster, 60, 10, bad="")

    done = ready("--cluster", cluster)

    # Other tests have alarms that are on.
    findings = [line for line in done.output.splitlines() if ": " in line and line[0] != " "]
    assert [line for line in findings if not line.startswith(("not checked", "alarm "))][1:] == []
    assert "Physics, 60 seats" in done.output
    assert "not checked: Chef Server's certificate: " in done.output


def test_each_fault_before_a_lab_is_named_with_its_remedy(
    emulator: RunningEmulator, cluster: str
) -> None:
    subscribe(emulator, cluster)
    booked(emulator, cluster, 500, 600, bad="'Maths' on 2027-01-15 at 14:00: has no seats.")
    emulator.client("ec2").create_launch_template_version(
        LaunchTemplateName=cluster,
        LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.medium"},
    )

    done = ready("--cluster", cluster, "--json")

    said = json.loads(done.output)
    assert (done.exit_code, said["ready"]) == (1, False)
    found = {
        finding["subject"]: finding
        for finding in said["findings"]
        # Other tests have alarms that are on.
        if not finding["subject"].startswith("alarm ")
    }
    assert set(found) == {
        "labs Physics",
        "timetable",
        "hub",
        "image ami-0123456789abcdef0",
    }
    assert "140 of 500 students fit" in found["labs Physics"]["problem"]
    assert all(finding["remedy"] for finding in said["findings"])
