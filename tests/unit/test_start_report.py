"""A worker reports that its agent has started until the first command has come."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.app_twins import TwinClock
from tests.unit.test_node_tools import WORKER, Machine

from labswarm.errors import LabswarmError, Permanent, Transient
from labswarm_lab.nodes.swarm_twin import SwarmTwin
from labswarm_node import node
from labswarm_node.chef_run import Ended
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

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.entries += Entries
        return {"Entries": [{"ErrorCode": self._refused} if self._refused else {} for _ in Entries]}


def reporting(config: NodeConfig, bus: Bus) -> EventReports:
    reports = EventReports(config)
    reports._events = bus
    return reports


def config(folder: Path, **more: str) -> NodeConfig:
    machine = Machine(folder, WORKER, "worker", SwarmTwin().start(WORKER, 1, 1))
    values = json.loads((machine.directory / "node.json").read_text())
    return NodeConfig.parse(json.dumps({**values, **more}))


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
    assert json.loads(entry["Detail"]) == {"instance_id": WORKER}


def test_an_entry_that_the_bus_does_not_take_is_an_error_of_its_kind(tmp_path: Path) -> None:
    bus = Bus("NotAuthorizedForSourceException")

    with pytest.raises(Permanent, match="AgentStarted was refused"):
        reporting(config(tmp_path), bus).report()


def test_the_tool_reports_until_the_node_has_its_key(tmp_path: Path) -> None:
    machine = Machine(tmp_path, WORKER, "worker", SwarmTwin().start(WORKER, 1, 1))
    key = NodeConfig.read(machine.environment).chef.key_file
    heard = Heard()

    class Commanded(Heard):
        def report(self) -> None:
            heard.report()
            key.parent.mkdir(exist_ok=True)
            key.touch()

    around = node.Surroundings(
        lambda _: machine.engine,
        lambda _: machine.secret,
        lambda _command, _timeout_s: Ended(0, ""),
        lambda _: Commanded(),
        TwinClock(),
    )

    answer = node.answer(["report-start"], machine.environment, around)

    assert (answer.exit_code, json.loads(answer.line)) == (0, {"reports": 1, "commanded": True})
    assert heard.times == 1
