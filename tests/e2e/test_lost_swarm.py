"""A node of a real Swarm that is lost without a warning, for good and for a while."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from tests.e2e.conftest import LabUnderTest
from tests.support.interrupted import Browser, full_node, seated
from tests.support.labs import agreed, home_files, reconcile

from labswarm_lab.lab import Lab
from labswarm_lab.students import student_names
from labswarm_lab.swarm_seen import swarm_of

# Bound in time by the request, so not for a machine that does other work too.
pytestmark = [pytest.mark.swarm, pytest.mark.timeout(600), pytest.mark.deep]

STUDENTS = 4
AGAIN_WITHIN_S = 20
CUT_S = 60
HEALED_AFTER_S = 21


def seated_on(lab: LabUnderTest) -> tuple[str, list[Browser]]:
    """The class sits on one of two workers: its instance, and the students' browsers."""
    seated(lab, STUDENTS)
    hub = lab.status()["hub"]["url"]
    return full_node(lab, STUDENTS), [Browser(hub, name) for name in student_names(STUDENTS)]


def start_again(browsers: list[Browser], within_s: float) -> dict[str, float]:
    """All students load their pages until each has a server: seconds until then."""
    begun, took = time.monotonic(), {}

    def until_there_is_one(browser: Browser) -> None:
        while not browser.has_server() and time.monotonic() < begun + within_s:
            time.sleep(0.5)
        took[browser.student] = round(time.monotonic() - begun, 1)

    with ThreadPoolExecutor() as pool:
        list(pool.map(until_there_is_one, browsers))
    assert max(took.values()) < within_s, took
    return took


def down(lab: LabUnderTest, instance_id: str, within_s: float) -> None:
    """Wait until the Swarm has the node down."""
    swarm, deadline = swarm_of(Lab.named(lab.name)), time.monotonic() + within_s
    while (states := {n.state for n in swarm.nodes() if n.instance_id == instance_id}) != {"down"}:
        assert time.monotonic() < deadline, f"not down within {within_s} s: {states}"
        time.sleep(0.2)


def running(lab: LabUnderTest) -> Counter[str]:
    """How many servers of each student run on nodes that are there."""
    swarm = swarm_of(Lab.named(lab.name))
    there = {node.node_id for node in swarm.nodes() if node.state == "ready"}
    return Counter(task.server.user for task in swarm.tasks() if task.node_id in there)


def test_students_of_a_killed_node_start_again_within_20_s_of_its_being_down(
    lab: LabUnderTest,
) -> None:
    lost, browsers = seated_on(lab)
    saved = home_files(lab)

    lab.must("kill", lost)
    down(lab, lost, within_s=30)
    print({"again after": start_again(browsers, AGAIN_WITHIN_S)})

    assert home_files(lab) == saved
    # A pass, and another that agrees with it.
    for _ in range(2):
        reconcile(lab)
    lab.eventually("all three sides agree", lambda seen: agreed(2)(seen), within_s=60)
    assert lost not in {node["instance_id"] for node in lab.status()["nodes"]}


def test_a_node_that_is_cut_off_for_a_minute_is_one_node_again_and_nobody_has_two_servers(
    lab: LabUnderTest,
) -> None:
    lost, browsers = seated_on(lab)
    saved = home_files(lab)

    lab.must("cut", lost)
    cut_at = time.monotonic()
    down(lab, lost, within_s=30)
    start_again(browsers, AGAIN_WITHIN_S)
    time.sleep(max(0.0, cut_at + CUT_S - time.monotonic()))
    lab.must("heal", lost)

    lab.eventually(
        "the node is ready again, as the one that it was",
        lambda seen: agreed(2)(seen) and lost in {n["instance_id"] for n in seen["nodes"]},
        within_s=60,
    )
    nodes = [n for n in swarm_of(Lab.named(lab.name)).nodes() if n.instance_id == lost]
    assert [node.state for node in nodes] == ["ready"]
    once = dict.fromkeys(student_names(STUDENTS), 1)
    deadline = time.monotonic() + 30
    while (seen := running(lab)) != once:
        assert time.monotonic() < deadline, f"servers by student: {seen}"
        time.sleep(0.5)
    assert home_files(lab) == saved
    attended = json.loads(lab.must("class", str(STUDENTS), "--json"))
    assert [student["ok"] for student in attended["students"]] == [True] * STUDENTS


def test_a_save_on_its_way_to_a_node_that_was_cut_off_does_not_undo_one_made_elsewhere_since(
    lab: LabUnderTest,
) -> None:
    lost, browsers = seated_on(lab)

    lab.must("cut", lost)
    with ThreadPoolExecutor() as pool:
        # Sent while their servers count as running: the proxy has connections to them, and sends
        # what it has been given for as long as the kernel lets it.
        hanging = [pool.submit(save_late, b, 0.3 * n) for n, b in enumerate(browsers)]
        cut_at = time.monotonic()
        down(lab, lost, within_s=30)
        start_again(browsers, AGAIN_WITHIN_S)
        assert [one.result() for one in hanging] == [False] * STUDENTS
    for browser in browsers:
        browser.open()
        browser.save("typed.txt", "newer")
    saved = home_files(lab)
    # By the kernel's own intervals it would send again some seconds later, to servers that are
    # about to end.
    time.sleep(max(0.0, cut_at + HEALED_AFTER_S - time.monotonic()))
    lab.must("heal", lost)

    once = dict.fromkeys(student_names(STUDENTS), 1)
    deadline = time.monotonic() + 60
    while running(lab) != once or not agreed(2)(lab.status()):
        assert time.monotonic() < deadline, f"servers by student: {running(lab)}"
        assert home_files(lab) == saved
    assert home_files(lab) == saved


def save_late(browser: Browser, after_s: float) -> bool:
    """Save something so many seconds from now, and whether the server has said that it is."""
    time.sleep(after_s)
    try:
        browser.save("typed.txt", "older")
    except requests.RequestException:
        return False
    return True
