"""The same control plane where real nodes cannot be had."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3
from tests.e2e.conftest import LabUnderTest
from tests.support.labs import FEED

pytestmark = pytest.mark.timeout(600)


def test_workers_come_and_go_through_the_hooks(simulated_lab: LabUnderTest) -> None:
    simulated_lab.must("scale", "3")
    seen = simulated_lab.status()
    assert seen["swarm"] == "simulated"
    assert [(n["asg"], n["swarm"], n["availability"], n["chef"]) for n in seen["nodes"]] == [
        ("InService", "ready", "active", "known")
    ] * 3

    simulated_lab.must("scale", "1")

    assert len(simulated_lab.status()["nodes"]) == 1
    (*_, execution) = simulated_lab.executions("labswarm-node-terminate", "SUCCEEDED")
    entered = simulated_lab.states_entered(execution)
    assert {"Pause", "Drain", "Leave", "Remove", "RemoveChefIdentity"} <= set(entered)


@pytest.mark.parametrize(
    ("machine", "most_transitions", "most_calls"),
    [("labswarm-node-launch", 15, 9), ("labswarm-node-terminate", 18, 9)],
)
def test_a_node_that_comes_and_goes_is_within_its_budget(
    simulated_lab: LabUnderTest, machine: str, most_transitions: int, most_calls: int
) -> None:
    """By the executions' histories, retries included.

    That the agent comes after 45 s costs no call more: await_agent waits 90 s.
    """
    simulated_lab.must("scale", "2")
    simulated_lab.must("scale", "1")

    counted = [
        simulated_lab.cost(execution)
        for execution in simulated_lab.executions(machine, "SUCCEEDED")
    ]

    # Those that ended as `Refused` are someone else's work, and cost less.
    assert counted
    assert max(transitions for transitions, _ in counted) <= most_transitions
    assert max(calls for _, calls in counted) <= most_calls


@pytest.mark.parametrize("what", ["interrupt", "kill"])
def test_a_lost_worker_is_replaced_and_gone_from_all_sides(
    simulated_lab: LabUnderTest, what: str
) -> None:
    simulated_lab.must("scale", "1")
    (lost,) = simulated_lab.status()["nodes"]

    simulated_lab.must(what, lost["instance_id"])

    seen = simulated_lab.eventually(
        "another worker is open in its place",
        lambda seen: (
            [n["availability"] for n in seen["nodes"]] == ["active"]
            and seen["nodes"][0]["instance_id"] != lost["instance_id"]
        ),
        within_s=90,
    )
    assert (seen["nodes"][0]["chef"], seen["executions"]["failed"]) == ("known", 0)


EVENTS = Path(__file__).resolve().parents[2] / "events"


def test_a_replayed_event_starts_the_same_machine_as_the_event_itself(
    simulated_lab: LabUnderTest,
) -> None:
    simulated_lab.must("scale", "1")
    (worker,) = simulated_lab.status()["nodes"]

    shown = json.loads(simulated_lab.must("replay", str(EVENTS / "launch.json"), "--json"))

    (started,) = shown["started"]
    assert started["target"] == "labswarm-node-launch"
    assert shown["event"]["detail"]["EC2InstanceId"] == worker["instance_id"]
    execution = simulated_lab.client("stepfunctions").describe_execution(
        executionArn=started["execution"]
    )
    given = json.loads(execution["input"])
    assert given["detail"]["AutoScalingGroupName"] == f"labswarm-{simulated_lab.name}-workers"
    minute = simulated_lab.must("replay", str(EVENTS / "minute.json"))
    assert "labswarm-decide-nodes" in minute


def test_a_worker_comes_though_functions_crash_after_their_work(
    simulated_lab: LabUnderTest,
) -> None:
    simulated_lab.must("scale", "1")
    before = simulated_lab.status()
    faults = f"{before['emulator']}/_emulator/faults/functions"
    crash = {"crash": ["labswarm-claim", "labswarm-command", "labswarm-complete"], "times": 4}
    try:
        assert urllib3.request("PUT", faults, json=crash, timeout=10).status == 200
        simulated_lab.must("scale", "2")
    finally:
        urllib3.request("DELETE", faults, timeout=10)
    seen = simulated_lab.status()
    assert [node["availability"] for node in seen["nodes"]] == ["active"] * 2
    assert seen["executions"]["failed"] == before["executions"]["failed"]
    assert simulated_lab.must("logs", "record", "-n", "1000").count('"crashed"') == 4


def test_the_timeline_lists_a_workers_life_and_draws_it(
    simulated_lab: LabUnderTest, tmp_path: Path
) -> None:
    simulated_lab.must("scale", "1")
    picture = tmp_path / "lab.svg"

    shown = json.loads(simulated_lab.must("timeline", "--json", "--svg", str(picture)))

    (worker,) = simulated_lab.status()["nodes"]
    rows = {row["instance_id"]: row for row in shown["rows"]}
    row = rows[worker["instance_id"]]
    phases = [phase["phase"] for phase in row["phases"]]
    assert phases[:4] == ["launched", "waiting", "joined", "open"]
    launched, *_ = row["executions"]
    assert (launched["machine"], launched["status"]) == ("node-launch", "SUCCEEDED")
    assert worker["instance_id"] in picture.read_text()
    assert f"{worker['instance_id']}  open" in simulated_lab.must("timeline")


def test_a_chef_server_that_was_away_has_its_objects(simulated_lab: LabUnderTest) -> None:
    simulated_lab.must("scale", "1")
    for _ in range(2):
        simulated_lab.must("chef", "stop")
    away = simulated_lab.status()
    for _ in range(2):
        simulated_lab.must("chef", "start")
    assert (away["chef"], away["nodes"][0]["chef"]) == ("unreachable", None)
    assert [node["chef"] for node in simulated_lab.status()["nodes"]] == ["known"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shell", "hub"), "NODE 'hub': the nodes of"),
        (("cut", "hub"), "NODE 'hub': the nodes of"),
        (("timeline", "--since", "soon"), "--since: 'soon' is not a time"),
        (("replay", str(EVENTS / "test_notification.json")), "EventBridge needs them"),
        (("replay", str(EVENTS / "minute.json"), "--instance", "i-"), "--instance"),
    ],
)
def test_an_impossible_request_is_refused_in_one_sentence(
    simulated_lab: LabUnderTest, words: tuple[str, ...], said: str
) -> None:
    refused = simulated_lab.run(*words)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_class_is_refused_for_there_is_no_hub(simulated_lab: LabUnderTest) -> None:
    refused = simulated_lab.run("class", "2")
    assert refused.returncode == 2
    assert "simulated" in refused.stderr


@pytest.mark.deep
def test_a_booked_lab_finds_its_nodes_and_they_are_gone_after_it(
    simulated_lab: LabUnderTest, tmp_path: Path
) -> None:
    simulated_lab.must("scale", "1")
    simulated_lab.must("scale", "auto")
    starts = datetime.now(UTC) + timedelta(minutes=2)
    form = "%Y%m%dT%H%M%SZ"
    feed = tmp_path / "labs.ics"
    times = {"starts": starts, "ends": starts + timedelta(minutes=1)}
    feed.write_text(FEED.format(**{name: at.strftime(form) for name, at in times.items()}))

    shown = simulated_lab.must("timetable", str(feed))

    assert "12 seats  Physics" in shown
    assert "left out: 'Chemistry' on " in shown
    assert ": has no end. Give DTEND or DURATION." in shown
    simulated_lab.eventually(
        "two nodes, before the bell",
        lambda seen: [n["availability"] for n in seen["nodes"]] == ["active"] * 2,
        within_s=(starts - datetime.now(UTC)).total_seconds(),
    )
    simulated_lab.eventually(
        "one node, after it", lambda seen: len(seen["nodes"]) == 1, within_s=360
    )
    (shrunk, *_) = simulated_lab.executions("labswarm-lab-hours", "SUCCEEDED")
    assert {"Pause", "Terminate"} <= set(simulated_lab.states_entered(shrunk))


def test_a_file_that_is_no_timetable_is_refused(
    simulated_lab: LabUnderTest, tmp_path: Path
) -> None:
    feed = tmp_path / "labs.ics"
    for text, said in (("<html></html>", "is a web page and no calendar"), ("x" * 8193, "8192")):
        feed.write_text(text)
        refused = simulated_lab.run("timetable", str(feed))
        assert refused.returncode == 2
        assert said in refused.stderr


def test_a_hook_whose_execution_is_stopped_is_completed_in_its_place(
    simulated_lab: LabUnderTest, tmp_path: Path
) -> None:
    """Put the status event as AWS sends it, even if the emulator has sent it already.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    simulated_lab.must("scale", "1")
    # So that the launch is at work for as long as it takes to stop it.
    simulated_lab.must("chef", "stop")
    simulated_lab.must("scale", "2", "--no-wait")
    simulated_lab.eventually(
        "a launch is at work",
        lambda _: bool(simulated_lab.executions("labswarm-node-launch", "RUNNING")),
        within_s=60,
    )
    (execution, *_) = simulated_lab.executions("labswarm-node-launch", "RUNNING")
    stepfunctions = simulated_lab.client("stepfunctions")
    stepfunctions.stop_execution(executionArn=execution)
    simulated_lab.must("chef", "start")
    ended = stepfunctions.describe_execution(executionArn=execution)
    assert ended["status"] == "ABORTED"
    event = json.loads((EVENTS / "execution_failed.json").read_text())
    event["detail"] |= {
        "executionArn": execution,
        "stateMachineArn": ended["stateMachineArn"],
        "status": "ABORTED",
        "input": ended["input"],
    }
    shown = tmp_path / "ended.json"
    shown.write_text(json.dumps(event))

    assert "labswarm-last-resort" in simulated_lab.must("replay", str(shown))

    # It is abandoned and goes by its terminate hook; another is launched, and joins.
    lost = json.loads(ended["input"])["detail"]["EC2InstanceId"]
    seen = simulated_lab.eventually(
        "another joins, and the abandoned one is gone",
        lambda seen: (
            [n["availability"] for n in seen["nodes"]] == ["active", "active"]
            and lost not in [n["instance_id"] for n in seen["nodes"]]
        ),
        within_s=120,
    )
    assert [n["chef"] for n in seen["nodes"]] == ["known", "known"]
