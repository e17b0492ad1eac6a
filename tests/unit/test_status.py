"""The output of `labswarm lab status`."""

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal

import boto3
import pytest
from moto import mock_aws

from labswarm_lab.observe import print_status
from labswarm_lab.status import Node, Status, alarms_view

REASON = "Threshold Crossed: 1 datapoint [0.0 (23/11/26 08:00:00)] was less than the threshold"


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    """Three alarms; one is in ALARM."""
    with mock_aws():
        client = boto3.client(
            "cloudwatch",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        states: dict[str, Literal["OK", "ALARM", "INSUFFICIENT_DATA"]] = {
            "a": "OK",
            "b": "ALARM",
            "c": "INSUFFICIENT_DATA",
        }
        for name, state in states.items():
            client.put_metric_alarm(
                AlarmName=name,
                ComparisonOperator="LessThanThreshold",
                EvaluationPeriods=1,
            )
            client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=REASON)
        yield client


def status(alarms: list[dict[str, str]]) -> Status:
    return Status(
        hub={"url": None, "healthy": False},
        emulator="http://10.98.0.1:5060",
        latency="fast",
        homes="/homes",
        swarm="real",
        chef="stand-in",
        nodes=[],
        executions={"running": 0, "failed": 0},
        alarms=alarms,
    )


def test_only_alarms_that_are_on_are_shown(cloudwatch: Any) -> None:
    (alarm,) = alarms_view(cloudwatch)
    assert (alarm["name"], alarm["reason"]) == ("b", REASON)
    assert alarm["since"].endswith("+00:00")


def test_an_alarm_is_printed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    shown = status([{"name": "b", "since": "2026-11-23T08:05:00+00:00", "reason": REASON}])
    assert shown.to_dict()["alarms"][0]["name"] == "b"
    print_status(shown)
    assert f"ALARM b since 2026-11-23T08:05:00+00:00\n  {REASON}\n" in capsys.readouterr().out


def test_that_there_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_status(status([]))
    assert capsys.readouterr().out.endswith("alarms: none\n")


def test_a_workers_row_is_whole_on_a_terminal_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    leaving = Node(
        cluster="lab",
        instance_id="i-0123456789abcdef0",
        asg="Terminating:Wait",
        swarm="ready",
        availability="pause",
        chef="known",
        seats=7,
        seats_used=5,
        age_s=84,
    )
    print_status(dataclasses.replace(status([]), nodes=[leaving]))
    row = "i-0123456789abcdef0  Terminating:Wait  ready, pause  known  5 of 7  84 s"
    assert row in capsys.readouterr().out
