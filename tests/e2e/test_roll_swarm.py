"""A new image while a class is there, on a real Swarm: all nodes are of it, nobody is cut off."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.conftest import LabUnderTest, brought_up
from tests.support.labs import agreed, culled
from tests.support.rolls import command, images, register

from labswarm_lab.nodes.requirements import missing

pytestmark = [pytest.mark.deep, pytest.mark.swarm, pytest.mark.timeout(900)]

IDLE_S = 90
EARLY, LATE = 6, 8


@pytest.fixture(scope="module")
def class_lab() -> Iterator[LabUnderTest]:
    """A lab of real nodes with one worker, where idle servers are stopped after 90 s."""
    lacking = missing()
    if lacking:
        pytest.skip(f"real Swarm skipped: {lacking[0]}")
    yield from brought_up(f"r{os.getpid()}", "--workers", "1", "--idle-timeout", str(IDLE_S))


def started(lab: LabUnderTest) -> list[str]:
    """Whose servers were started, each time, by the hub's own log."""
    log = lab.must("logs", "hub", "--lines", "100000")
    return re.findall(r"User (student-\d+) took \S+ seconds to start", log)


def says(process: "subprocess.Popen[str]", what: str) -> dict[str, Any]:
    """The command's next line of this kind."""
    assert process.stdout is not None
    for line in process.stdout:
        said: dict[str, Any] = json.loads(line)
        if said["what"] == what:
            return said
    pytest.fail(f"it ended ({process.wait()}) and did not say {what!r}")


def test_all_nodes_become_new_during_a_class_and_nobody_is_cut_off(class_lab: LabUnderTest) -> None:
    class_lab.must("class", str(EARLY))
    (old,) = class_lab.status()["nodes"]
    ami = register(class_lab, "next term")
    with subprocess.Popen(
        command(class_lab, ami, "--json"), stdout=subprocess.PIPE, text=True
    ) as rolling:
        says(rolling, "open")
        class_lab.eventually(
            "the old node is paused, with its students",
            lambda seen: any(
                (n["instance_id"], n["availability"], n["seats_used"])
                == (old["instance_id"], "pause", EARLY)
                for n in seen["nodes"]
            ),
            within_s=120,
        )

        # The same servers go on computing and saving; arriving students get a seat on a new node.
        answer = json.loads(class_lab.must("class", str(LATE), "--json"))
        assert [student["ok"] for student in answer["students"]] == [True] * LATE
        used = {n["instance_id"]: n["seats_used"] for n in class_lab.status()["nodes"]}
        assert used.pop(old["instance_id"]) == EARLY
        assert sum(used.values()) == LATE - EARLY

        done = says(rolling, "done")
        assert rolling.wait(60) == 0

    assert (done["old"], set(images(class_lab))) == (0, {ami})
    # By the hub's log each server was started once, and ended for being idle and by nothing else.
    assert len(started(class_lab)) == len(set(started(class_lab))) == LATE
    class_lab.eventually("all have left", agreed(1), within_s=IDLE_S + 300)
    assert len(culled(class_lab)) == LATE
    assert class_lab.status()["executions"]["failed"] == 0
    for execution in class_lab.executions("labswarm-node-terminate", "SUCCEEDED"):
        assert "Evacuate" not in class_lab.states_entered(execution)
