"""A worker reports that its agent has started until the first command has come."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.app_twins import INSTANCE, TwinClock

from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm_node import node
from labswarm_node.config import NodeConfig
from labswarm_node.start_report import PATIENCE_S, EventReports, report_start


class Heard:
    """Reports that are heard, each after its error if there is one."""

    def __init__(self, *errors: LabswarmError) -> None:
        self.errors = list(errors)
        self.times = 0

    def report(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.times += 1


def test_reports_end_with_the_first_command() -> None:
    heard = Heard()

    answer = report_start(heard, lambda: heard.times == 3, TwinClock())

    assert answer == {"reports": 3, "commanded": True}


def test_reports_end_after_a_minute_and_come_less_often() -> None:
    heard, clock = Heard(), TwinClock()
    began = clock.now()

    assert report_start(heard, lambda: False, clock) == {"reports": 11, "commanded": False}
    assert clock.now() - began == PATIENCE_S
    assert heard.times == 11


def test_a_node_that_was_commanded_before_reports_nothing() -> None:
    heard = Heard()

    assert report_start(heard, lambda: True, TwinClock())["reports"] == heard.times == 0


def test_a_report_without_an_answer_is_sent_again() -> None:
    heard = Heard(Transient("no route"), Transient("throttled"))

    report_start(heard, lambda: heard.times == 1, TwinClock())

    assert heard.times == 1


def test_a_report_that_is_not_allowed_ends_it() -> None:
    with pytest.raises(Permanent):
        report_start(Heard(Permanent("not authorized")), lambda: False, TwinClock())


class Bus:
    """An event bus that keeps the entries, or refuses them."""

    def __init__(self, refused: str = "") -> None:
        self.entries: list[dict[str, Any]] = []
        self._refused = refused

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803  # as boto3 has it
        self.entries += Entries
        return {"Entries": [{"ErrorCode": self._refused} if self._refused else {} for _ in Entries]}


def reporting(config: NodeConfig, bus: Bus) -> EventReports:
    reports = EventReports(config)
    reports._events = bus
    return reports


def node_json(folder: Path, **more: str) -> str:
    """Return the content of a worker's node.json whose key is in this folder."""
    chef = {
        "url": "https://chef.invalid",
        "node_name": f"lab-{INSTANCE}",
        "key_file": str(folder / "client.pem"),
        "client": "chef-client",
    }
    return json.dumps(
        {
            "cluster": "lab",
            "instance_id": INSTANCE,
            "role": "worker",
            "region": "eu-west-1",
            "docker_host": "unix:///nowhere",
            "advertise_address": "10.98.0.10",
            "join_secret": "join",
            "images": [],
            "chef": chef,
            **more,
        }
    )


def config(folder: Path, **more: str) -> NodeConfig:
    return NodeConfig.parse(node_json(folder, **more))


@pytest.mark.parametrize(
    ("given", "source"), [({}, "labswarm.node"), ({"prefix": "labstage"}, "labstage.node")]
)
def test_the_event_names_the_app_and_the_instance(
    tmp_path: Path, given: dict[str, str], source: str
) -> None:
    bus = Bus()

    reporting(config(tmp_path, **given), bus).report()

    (entry,) = bus.entries
    assert (entry["Source"], entry["DetailType"]) == (source, "AgentStarted")
    assert json.loads(entry["Detail"]) == {"instance_id": INSTANCE}


def test_an_entry_that_the_bus_does_not_take_is_an_error_of_its_kind(tmp_path: Path) -> None:
    bus = Bus("NotAuthorizedForSourceException")

    with pytest.raises(Permanent, match="AgentStarted was refused"):
        reporting(config(tmp_path), bus).report()


def test_the_tool_reports_until_the_node_has_its_key(tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    file.write_text(node_json(tmp_path))

    class Commanded(Heard):
        def report(self) -> None:
            super().report()
            (tmp_path / "client.pem").touch()

    around = replace(node.REAL, reports=lambda _: Commanded(), clock=TwinClock())

    answer = node.answer(["report-start"], {"LABSWARM_NODE_CONFIG": str(file)}, around)

    assert (answer.exit_code, json.loads(answer.line)) == (0, {"reports": 1, "commanded": True})
