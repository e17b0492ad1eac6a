"""One run: a lab, a class in it, faults, calm, and the verdict."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labswarm_hub.names import service_name
from labswarm_lab.lab import Lab
from labswarm_lab.swarm_seen import swarm_of
from tests.chaos import verdict
from tests.chaos.hub_log import Ending, endings, stamped
from tests.chaos.injector import Injected, Injector
from tests.chaos.notebook import Notebook
from tests.chaos.schedule import planned_faults
from tests.chaos.students import Student
from tests.e2e.conftest import COMMAND, LabUnderTest

LOOK_S = 10.0
CALM_WITHIN_S = 1500.0
"""A hook whose event was dropped waits 600 s for its own timeout; a pass that agrees with the one
before, and the alarms' own windows (15 minutes at most), follow."""
PASS_S = 400.0
SERVED_WITHIN_S = 180.0
"""A student who comes when all is calm: a node is started for the one who finds no seat."""
OPERATOR_S = 30.0
"""So often a pass of reconcile is made by hand, and undelivered events are sent again, until it is
calm.
"""


@dataclass
class ChaosRun:
    """Inject faults into a lab that is up for `seconds`, while `students` come and go."""

    lab: LabUnderTest
    seed: int
    seconds: float
    students: int
    log: Callable[[str], None]
    notebook: Notebook = field(init=False)
    _log: set[str] = field(default_factory=set)
    _instances: dict[str, str] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _stands: str = "the faults begin"

    def run(self) -> dict[str, Any]:
        """All of it; the report, in which `wrong` are sentences."""
        status = self.lab.status()
        self.notebook = Notebook(Path(status["homes"]))
        hub = str(status["hub"]["url"])
        names = [f"w{number:02}" for number in range(1, self.students + 1)]
        there = [
            Student(name, hub, self.seed, self.notebook, self._closing, self._over)
            for name in names
        ]
        injector = Injector(self.lab, self.log)
        for student in there:
            student.start()
        # A thread of its own: a busy machine takes longer than that for one command.
        threading.Thread(target=self._log_progress, args=[there], daemon=True).start()
        try:
            self._inject_faults(injector, there)
            self._closing.set()
            calm_s, wrong = self._await_calm(there)
            self._over.set()
            for student in there:
                student.join(60)
            wrong += _who_cannot_save(there)
        finally:
            self._closing.set()
            self._over.set()
        wrong += [f"{s.name} ended: {s.failed}" for s in there if s.failed]
        self._gather()
        ended = endings(self._log, {service_name(name): name for name in names})
        early = verdict.early(ended, {student.name: student.leaves for student in there})
        wrong += verdict.cut_off(early, injector.injected, self._instances)
        wrong += self.notebook.overwritten + self.notebook.lost()
        return self._report(injector, there, len(ended), early, calm_s, wrong)

    @property
    def hubs_log(self) -> str:
        """The hub's log, and those that it followed, in order."""
        return "".join(f"{at:.3f} {message}\n" for at, message in stamped(self._log))

    def _inject_faults(self, injector: Injector, there: list[Student]) -> None:
        begun = time.monotonic()
        planned, gathered_at = planned_faults(self.seed, self.seconds), 0.0
        while (now := time.monotonic() - begun) < self.seconds:
            for injected in injector.lasting():
                if injected.at + injected.fault.lasts_s <= time.time():
                    injector.end(injected)
            if planned and planned[0].at_s <= now:
                if planned[0].kind.name == "hub-restart":
                    self._gather()
                injector.inject(planned.pop(0), self._nodes())
            if now - gathered_at >= LOOK_S:
                gathered_at = now
                self._gather()
            self._stands = f"{now:.0f} of {self.seconds:.0f} s of faults"
            time.sleep(0.2)
        for injected in injector.lasting():
            injector.end(injected)
        self.lab.must("fault", "clear")

    def _await_calm(self, there: list[Student]) -> tuple[float, list[str]]:
        """Seconds until nothing is wrong any more, and the problems left when time is over."""
        begun, asked_at = time.monotonic(), -OPERATOR_S
        operator = threading.Thread()
        while True:
            now = time.monotonic() - begun
            if now - asked_at >= OPERATOR_S and not operator.is_alive():
                asked_at = now
                operator = threading.Thread(target=self._operate, daemon=True)
                operator.start()
            wrong = verdict.unrest(verdict.look(self.lab))
            wrong += [
                f"{s.name} waits since {time.monotonic() - s.waits_since:.0f} s: {s.why_waits}"
                for s in there
                if s.waits_since is not None
            ]
            if not wrong or now > CALM_WITHIN_S:
                took = time.monotonic() - begun
                operator.join(PASS_S)
                return took, wrong
            self._gather()
            more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
            self._stands = f"not calm yet: {wrong[0][:120]}{more}"
            time.sleep(1)

    def _operate(self) -> None:
        """An operator's work after an alarm; neither has to succeed each time."""
        for words in (["redrive"], ["reconcile"]):
            command = [str(COMMAND), *words, "--name", self.lab.name]
            subprocess.run(command, capture_output=True, timeout=PASS_S, check=False)

    def _nodes(self) -> list[str]:
        self._learn_instances()
        nodes = self.lab.status()["nodes"]
        return [n["instance_id"] for n in nodes if n["asg"] == "InService"]

    def _learn_instances(self) -> None:
        nodes = swarm_of(Lab.named(self.lab.name)).nodes()
        self._instances.update(verdict.instances_of(nodes))

    def _gather(self) -> None:
        """Keep what the hub has logged: Swarm forgets a task's log with the task."""
        self._learn_instances()
        said = self.lab.run("logs", "hub", "--lines", "3000")
        self._log.update(said.stdout.splitlines())

    def _log_progress(self, there: list[Student]) -> None:
        while not self._over.wait(LOOK_S):
            sit = sum(student.sits and student.waits_since is None for student in there)
            wait = sum(student.waits_since is not None for student in there)
            self.log(f"{self._stands}; {sit} sit, {wait} wait, {self.notebook.saves} saves")

    def _report(
        self,
        injector: Injector,
        there: list[Student],
        ended: int,
        early: list[Ending],
        calm_s: float,
        wrong: list[str],
    ) -> dict[str, Any]:
        def why(ending: Ending) -> str:
            return verdict.cause(ending, injector.injected, self._instances) or "nothing"

        return {
            "seed": self.seed,
            "minutes": round(self.seconds / 60, 2),
            "faults": dict(Counter(injected.fault.kind.name for injected in injector.injected)),
            "missed": injector.missed,
            "students": len(there),
            "visits": sum(student.served for student in there),
            "saves": self.notebook.saves,
            "files": self.notebook.files,
            "longest_wait_s": round(max(student.longest_wait_s for student in there), 1),
            "endings": ended,
            "early": dict(Counter(why(ending) for ending in early)),
            "injected": [as_json(injected) for injected in injector.injected],
            "calm_s": round(calm_s, 1),
            "wrong": wrong,
        }


def _who_cannot_save(there: list[Student]) -> list[str]:
    """A sentence for each student who is not served when all come once more."""
    deadline, waiting = time.monotonic() + SERVED_WITHIN_S, list(there)
    while True:
        why = {student: student.saves_again() for student in waiting}
        waiting = [student for student in waiting if why[student]]
        if not waiting or time.monotonic() > deadline:
            return [f"{student.name} cannot save: {why[student]}" for student in waiting]
        time.sleep(1)


def as_json(injected: Injected) -> dict[str, Any]:
    """Return a fault as the report has it."""
    kind = injected.fault.kind.name
    return {"kind": kind, "at": injected.at, "until": injected.until, "instance": injected.instance}


def printed(report: dict[str, Any]) -> str:
    """The report as a person reads it."""

    def counted(counts: dict[str, int]) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"

    lines = [
        f"{report['minutes']:g} minutes of faults, seed {report['seed']}",
        f"faults: {counted(report['faults'])}",
        f"{report['students']} students, {report['visits']} visits, {report['saves']} saves in "
        f"{report['files']} files; the longest wait was {report['longest_wait_s']:g} s",
        f"servers ended: {report['endings']}; early, by fault: {counted(report['early'])}",
        f"calm after {report['calm_s']:g} s",
        *(f"missed: {why}" for why in report["missed"]),
        *(f"WRONG: {sentence}" for sentence in report["wrong"]),
    ]
    return "\n".join([*lines, "all is well" if not report["wrong"] else "not all is well"])


def run_chaos(
    name: str, *, seed: int, minutes: float, workers: int, students: int
) -> dict[str, Any]:
    """Bring a lab up, inject faults, take it down in any case, and return the report."""
    begun = time.monotonic()

    def log(what: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {what}", file=sys.stderr, flush=True)

    lab = LabUnderTest(name)
    try:
        lab.must("up", "--workers", str(workers), "--idle-timeout", "7200")
        log(f"the lab {name} is up with {workers} workers; seed {seed}")
        chaos = ChaosRun(lab, seed, 60 * minutes, students, log)
        report = chaos.run()
        if report["wrong"]:
            _keep(lab, report, chaos.hubs_log, log)
        return report
    finally:
        log(f"the lab {name} goes down")
        lab.must("down", "--homes")


def _keep(
    lab: LabUnderTest, report: dict[str, Any], hubs_log: str, log: Callable[[str], None]
) -> None:
    """The files for later: the report, and the log of each part of the lab."""
    kept = Path("build") / f"chaos-{report['seed']}"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "report.json").write_text(json.dumps(report, indent=1))
    (kept / "hubs.log").write_text(hubs_log)
    for part in [*lab.run("logs").stdout.split()]:
        (kept / f"{part}.log").write_text(lab.run("logs", part, "--lines", "100000").stdout)
    log(f"what was logged is kept in {kept}")
