"""The effect of a fault on a lab, and the endings of servers that it explains."""

import subprocess
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.chaos.injector import HEALED_WITHIN_S, Injected, Injector
from tests.chaos.schedule import BY_NAME, KINDS, Fault
from tests.support.command_tree import command_of


@dataclass
class ObedientLab:
    """Takes every command that `labswarm lab` has, and refuses a node that is in `gone`."""

    gone: set[str] = field(default_factory=set)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        self.asked.append(words)
        command, rest = command_of(["labswarm", "lab", *words])
        command.make_context("it", rest)  # raises for an unknown option
        if self.gone & set(words):
            said = f"NODE: There is no node '{words[-1]}'."
            return subprocess.CompletedProcess(words, 2, "", said)
        return subprocess.CompletedProcess(words, 0, "", "")


def fault(name: str, *, lasts_s: float = 0.0, chance: float = 0.5) -> Fault:
    return Fault(BY_NAME[name], 0.0, lasts_s, chance)


@pytest.fixture
def lab() -> ObedientLab:
    return ObedientLab()


@pytest.fixture
def injector(lab: ObedientLab) -> Injector:
    return Injector(lab, lambda _: None)  # type: ignore[arg-type]  # all that a fault needs of a lab


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.99])
def test_each_fault_is_a_command_of_the_lab_and_so_is_its_end(
    injector: Injector, lab: ObedientLab, kind: Any, chance: float
) -> None:
    injector.inject(fault(kind.name, lasts_s=kind.lasts_s[1], chance=chance), ["i-1", "i-2"])
    assert (len(lab.asked), injector.missed) == (1, [])
    assert injector.injected[0].instance in (("i-1", "i-2") if kind.at_node else (None,))

    for injected in injector.lasting():
        injector.end(injected)

    assert injector.lasting() == []
    assert len(lab.asked) == (2 if kind.lasts_s[1] and kind.name != "hub-restart" else 1)


def test_a_doomed_node_is_not_hit_again(
    injector: Injector,
) -> None:
    for _ in range(3):
        injector.inject(fault("kill"), ["i-1", "i-2"])
    assert {injected.instance for injected in injector.injected} == {"i-1", "i-2"}
    assert injector.missed == ["kill: no node to hit"]


def test_a_fault_that_the_lab_refuses_is_missed_and_explains_nothing(
    injector: Injector, lab: ObedientLab
) -> None:
    lab.gone = {"i-1"}
    injector.inject(fault("kill"), ["i-1"])
    assert injector.injected == []
    assert injector.missed == ["kill: NODE: There is no node 'i-1'."]


def test_the_end_of_a_cut_whose_node_has_gone_is_no_error(
    injector: Injector, lab: ObedientLab
) -> None:
    injector.inject(fault("cut", lasts_s=30), ["i-1"])
    lab.gone = {"i-1"}
    injector.end(injector.injected[0])
    assert injector.lasting() == []


@pytest.mark.parametrize(
    ("name", "explains"),
    [(kind.name, kind.name in ("kill", "cut", "interrupt")) for kind in KINDS],
)
def test_only_a_fault_that_ends_a_node_explains_the_end_of_its_servers(
    name: str, explains: bool
) -> None:
    injected = Injected(fault(name), at=100.0, instance="i-1" if BY_NAME[name].at_node else None)
    assert injected.explains("i-1", 101.0) is explains
    assert not injected.explains("i-2", 101.0)
    assert not injected.explains(None, 101.0)
    assert not injected.explains("i-1", 90.0)


def test_a_cut_explains_nothing_any_more_when_its_node_is_healed_and_seen_again() -> None:
    injected = Injected(fault("cut"), at=100.0, instance="i-1", until=140.0)
    assert injected.explains("i-1", 140.0 + HEALED_WITHIN_S)
    assert not injected.explains("i-1", 141.0 + HEALED_WITHIN_S)
