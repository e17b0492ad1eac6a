"""A lab as its commands see it."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.e2e.conftest import COMMAND, LabUnderTest


def open_on_all_sides(node: dict[str, Any]) -> bool:
    sides = (node["asg"], node["swarm"], node["availability"], node["chef"])
    return sides == ("InService", "ready", "active", "known")


def agreed(workers: int) -> Any:
    return lambda seen: len(seen["nodes"]) == workers and all(map(open_on_all_sides, seen["nodes"]))


def home_files(lab: LabUnderTest) -> dict[str, str]:
    homes = Path(lab.status()["homes"])
    return {
        str(file.relative_to(homes)): file.read_text()
        for file in homes.glob("*/*")
        if file.is_file()
    }


def culled(lab: LabUnderTest) -> list[str]:
    """The servers that were stopped for being idle, by the hub's own log."""
    return re.findall(r"Culling server (\S+)", lab.must("logs", "hub", "--lines", "100000"))


FRESH_S = 60


def passes(lab: LabUnderTest, *options: str) -> list[dict[str, Any]]:
    """One run of the machine: a pass of each cluster that is not left out."""
    completed = subprocess.run(
        [str(COMMAND), "reconcile", "--name", lab.name, "--json", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.stdout, completed.stderr
    made: list[dict[str, Any]] = json.loads(completed.stdout)
    return made


def reconcile(lab: LabUnderTest, *options: str) -> dict[str, Any]:
    """One pass that decides: there is a snapshot that the one before has not seen."""
    deadline = time.monotonic() + FRESH_S
    while True:
        (made,) = passes(lab, *options)
        if made["plan"]["decided"]:
            return dict(made)
        assert time.monotonic() < deadline, f"no pass decides: {made}"
        time.sleep(1)


FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: 12
DTSTART:{starts}
DTEND:{ends}
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Chemistry
DTSTART:{starts}
END:VEVENT
END:VCALENDAR
"""
