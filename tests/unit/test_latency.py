"""The latency profiles: the values drawn from one seeded source."""

import random
import statistics
from pathlib import Path

import pytest
from click.testing import CliRunner

from labswarm_emulator.emulator import Emulator, Settings
from labswarm_emulator.latency import AWS, FAST, PROFILES, Delay, UnknownLatency, profile
from labswarm_emulator.shell_machines import ShellMachines
from labswarm_lab.cli import LATENCIES
from labswarm_operator.cli import labswarm


def emulator(folder: Path, latency: str = AWS.name, seed: int = 1) -> Emulator:
    settings = Settings("127.0.0.1", 0, folder, latency=latency, seed=seed)
    return Emulator(settings, ShellMachines(folder))


def test_an_events_delay_has_its_median_and_its_99th_percentile() -> None:
    chance = random.Random(1)  # noqa: S311
    drawn = sorted(AWS.event.drawn(chance) for _ in range(20_000))
    assert statistics.median(drawn) == pytest.approx(1, rel=0.05)
    assert drawn[19_800] == pytest.approx(10, rel=0.15)
    assert drawn[0] > 0


def test_without_a_99th_percentile_a_delay_is_always_the_same() -> None:
    chance = random.Random(1)  # noqa: S311
    assert {Delay(45).drawn(chance) for _ in range(100)} == {45}
    assert {Delay(3, p99_s=3).drawn(chance) for _ in range(100)} == {3}


@pytest.mark.parametrize(("median_s", "p99_s"), [(-1, None), (2, 1)])
def test_a_text_that_is_no_delay_is_refused(median_s: float, p99_s: float | None) -> None:
    with pytest.raises(ValueError, match="no delay"):
        Delay(median_s, p99_s)


def test_the_fast_profile_adds_nothing() -> None:
    chance = random.Random(1)  # noqa: S311
    figures = (FAST.event, FAST.command, FAST.boot, FAST.cold_start)
    assert {figure.drawn(chance) for figure in figures} == {0}
    assert FAST.silence_s == 0


def test_one_seed_gives_one_sequence_across_all_figures(tmp_path: Path) -> None:
    def drawn(seed: int) -> list[float]:
        made = emulator(tmp_path, seed=seed)
        figures = (made.latency.event, made.latency.boot, made.latency.event)
        return [made.draw(figure) for figure in figures]

    assert drawn(7) == drawn(7) != drawn(8)
    first, boot, second = drawn(7)
    assert first != second
    assert boot == 45


def test_a_profile_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownLatency, match="latency 'slow' is none of fast, aws"):
        emulator(tmp_path, latency="slow")
    assert [profile(name) for name in PROFILES] == [FAST, AWS]


def test_the_command_offers_every_profile_and_refuses_others() -> None:
    assert tuple(PROFILES) == LATENCIES
    refused = CliRunner().invoke(labswarm, ["lab", "up", "--latency", "slow"])
    assert refused.exit_code == 2
    assert "There is no latency 'slow'. Choose from: fast, aws." in refused.output
