"""`labswarm lab fault` against a running emulator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click import BadParameter
from click.testing import CliRunner, Result
from tests.support.running_emulator import RunningEmulator

from labswarm_emulator.faults import KINDS
from labswarm_lab.fault import Counted, worded
from labswarm_lab.lab import Lab, Running
from labswarm_operator.cli import labswarm

pytestmark = pytest.mark.emulator


@pytest.fixture
def fault(
    emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["Command"]:
    """The command in a lab that has this emulator; no fault is on before and after."""
    monkeypatch.setenv("LABSWARM_STATE", str(tmp_path))
    lab = Lab.named("faulty")
    lab.place.state_dir.mkdir()
    lab.write_running(running_at(emulator.url))
    command = Command()
    command.must("clear")
    yield command
    command.must("clear")


def running_at(url: str) -> Running:
    return Running(
        simulated=True,
        emulator=url,
        chef="https://chef.invalid",
        chef_organization=None,
        chef_ca_pem="",
        hub=None,
        manager="i-0",
        latency="fast",
    )


class Command:
    def run(self, *words: str) -> Result:
        return CliRunner().invoke(labswarm, ["lab", "--name", "faulty", "fault", *words])

    def must(self, *words: str) -> str:
        done = self.run(*words)
        assert done.exit_code == 0, done.output
        return done.output

    def on(self) -> dict[str, dict[str, object]]:
        on: dict[str, dict[str, object]] = json.loads(self.must("list", "--json"))
        return on


NOTHING_OF_OURS = ("--detail-types", "none of another test's")


def test_a_fault_is_on_until_it_is_cleared(fault: Command) -> None:
    assert fault.must("list") == "No fault is on.\n"

    said = fault.must("set", "events", "--loss", "0.25", "--seed", "7", *NOTHING_OF_OURS)
    fault.must("set", "capacity", "--spot", "x9.huge", "--spot", "x9.tiny")

    assert said == 'events: loss 0.25, detail_types ["none of another test\'s"], seed 7\n'
    on = fault.on()
    assert set(on) == {"events", "capacity"}
    assert (on["events"]["loss"], on["events"]["seed"]) == (0.25, 7)
    assert on["capacity"]["spot"] == ["x9.huge", "x9.tiny"]
    assert 'capacity: spot ["x9.huge", "x9.tiny"]' in fault.must("list").splitlines()
    fault.must("clear", "events")
    assert set(fault.on()) == {"capacity"}
    fault.must("clear")
    fault.must("clear")
    assert fault.on() == {}


def test_setting_a_kind_again_replaces_its_settings(fault: Command) -> None:
    fault.must("set", "events", "--loss", "0.25", *NOTHING_OF_OURS)
    fault.must("set", "events", "--duplicates", "0.5", *NOTHING_OF_OURS)
    assert (fault.on()["events"]["loss"], fault.on()["events"]["duplicates"]) == (0.0, 0.5)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("set", "events"), "--loss"),
        (("set", "events", "--loss", "2"), "events.loss"),
        (("set", "events", "--held-s", "-1"), "events.held_s"),
    ],
)
def test_a_bad_setting_is_refused_and_changes_nothing(
    fault: Command, words: tuple[str, ...], named: str
) -> None:
    fault.must("set", "events", "--delay-s", "0.5", *NOTHING_OF_OURS)
    before = fault.on()

    refused = fault.run(*words)

    assert refused.exit_code == 2
    assert named in refused.output
    assert len(refused.output.splitlines()) == 1
    assert fault.on() == before


def test_an_emulator_that_is_gone_is_a_failure(fault: Command) -> None:
    lab = Lab.named("faulty")
    there = lab.running
    lab.write_running(running_at("http://127.0.0.1:9"))
    failed = fault.run("list")
    lab.write_running(there)
    assert failed.exit_code == 1
    assert "The AWS emulator does not answer" in failed.output


@pytest.mark.parametrize("kind", [kind.kind for kind in KINDS])
def test_every_kind_of_the_emulators_can_be_set(kind: str) -> None:
    shown = CliRunner().invoke(labswarm, ["lab", "fault", "set", kind, "--help"])
    assert shown.exit_code == 0
    (found,) = (one for one in KINDS if one.kind == kind)
    assert all(f"--{name.replace('_', '-')}" in shown.output for name in settings_of(found))


def settings_of(kind: object) -> list[str]:
    fields = getattr(kind, "__dataclass_fields__", {})
    return [name for name, field in fields.items() if field.init and name != "kind"]


def test_a_count_by_name_is_read_as_a_pair() -> None:
    assert Counted().convert("ssm:SendCommand=3", None, None) == ("ssm:SendCommand", 3)
    rate = Counted(float).convert("ssm:SendCommand=2.5", None, None)
    assert rate == ("ssm:SendCommand", 2.5)


@pytest.mark.parametrize("text", ["ssm:SendCommand", "=3", "a=", "a=.", "a=-1", "a=1e3", "a=1.2.3"])
def test_a_number_by_name_that_is_none_is_refused(text: str) -> None:
    for number in (int, float):
        with pytest.raises(BadParameter, match="is not of the form NAME=NUMBER"):
            Counted(number).convert(text, None, None)


def test_rates_concurrency_and_idle_functions_are_set_by_the_command(fault: Command) -> None:
    fault.must("set", "rates", "--calls-per-s", "kms:Sign=0.5", "--calls-per-s", "ssm:*=1000")
    fault.must("set", "concurrency", "--account", "900")
    said = fault.must("set", "idle", "--functions", "*", "--pending-s", "30")

    assert said == 'idle: functions ["*"], pending_s 30.0\n'
    on = fault.on()
    assert on["rates"]["calls_per_s"] == {"kms:Sign": 0.5, "ssm:*": 1000.0}
    assert on["concurrency"] == {"account": 900}


def test_a_kind_that_is_on_without_a_setting_is_listed() -> None:
    on: dict[str, Any] = {"capacity": {"spot": [], "on_demand": []}}
    assert list(worded(on)) == ["capacity: nothing goes wrong"]


@pytest.mark.parametrize("words", [("functions", "--crash"), ("idle", "--functions")])
def test_a_fault_of_a_function_that_does_not_exist_is_refused(
    fault: Command, words: tuple[str, ...]
) -> None:
    done = fault.run("set", *words, "labswarm-decide-noodles")

    assert done.exit_code == 2
    assert f"{words[1]}: There is no function 'labswarm-decide-noodles'." in done.output
    assert fault.on() == {}
