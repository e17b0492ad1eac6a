"""The servers that ended, their nodes and the requesters, from a hub's log."""

import pytest
from tests.chaos.hub_log import Ending, endings

STUDENTS = {"jupyter-w01": "w01", "jupyter-w02": "w02"}
NODE, OTHER = "kgh9l7xjw98imlnlf5mdd6hdt", "o83dkxpvlu19qraqfm8ow0ee4"
BEGUN = 1795493160.0  # 2026-11-24 04:06:00


def line(second: float, message: str, level: str = "I") -> str:
    return f"[{level} 2026-11-24 04:06:{second:06.3f} JupyterHub base:1192] {message}"


def open_server(student: str = "w01", second: float = 1.0, node: str = NODE) -> list[str]:
    return [
        line(second, f"Starting jupyter-{student} on worker-11 ({node})"),
        line(second + 1, f"User {student} took 9.450 seconds to start"),
    ]


def stopped(who: str, second: float = 10.0, student: str = "w01", code: int = 204) -> list[str]:
    path = f"/hub/api/users/{student}/server"
    asked = line(second + 0.1, f"{code} DELETE {path} ({who}@10.98.0.1) 210.51ms")
    done = line(second, f"User {student} server took 0.201 seconds to stop")
    return [done, asked]


def test_a_server_that_is_open_has_not_ended() -> None:
    assert endings(open_server(), STUDENTS) == []


@pytest.mark.parametrize("who", ["w01", "labswarm-manager"])
@pytest.mark.parametrize("code", [202, 204])
def test_a_stop_has_the_requester_that_the_hub_logs(who: str, code: int) -> None:
    assert endings([*open_server(), *stopped(who, code=code)], STUDENTS) == [
        Ending("w01", BEGUN + 10, NODE, who, "it was stopped")
    ]


def test_another_students_stop_at_the_same_moment_is_not_taken_for_it() -> None:
    lines = [*open_server("w01"), *open_server("w02"), *stopped("w02", student="w02")]
    lines.append(line(10.05, "User w01 server took 0.2 seconds to stop"))
    assert {(e.student, e.who) for e in endings(lines, STUDENTS)} == {("w01", ""), ("w02", "w02")}


@pytest.mark.parametrize(
    "message",
    [
        "The server jupyter-w01 has ended: its node is down",
        "w01 appears to have stopped while the Hub was down",
        "w01 does not appear to be running at http://10.0.0.9:8888/, shutting it down.",
    ],
)
def test_a_dead_server_has_no_requester_and_one_ending(message: str) -> None:
    lines = [
        *open_server(),
        line(20, message, "W"),
        line(21, message, "W"),
        line(22, "User w01 server took 0.2 seconds to stop"),
    ]
    (ended,) = endings(lines, STUDENTS)
    assert (ended.student, ended.at, ended.node_id, ended.who) == ("w01", BEGUN + 20, NODE, "")


def test_a_server_that_never_opened_has_not_ended() -> None:
    lines = [open_server()[0], line(9, "The server jupyter-w01 has ended: rejected", "W")]
    assert endings(lines, STUDENTS) == []


def test_a_server_that_a_hub_found_running_was_open_though_its_start_is_in_no_log() -> None:
    """The hub that started it was killed before it said so."""
    lines = [open_server()[0], line(5, "w01 still running"), *stopped("labswarm-manager")]
    (ended,) = endings(lines, STUDENTS)
    assert (ended.node_id, ended.who) == (NODE, "labswarm-manager")


def test_each_of_a_students_servers_ends_where_it_was() -> None:
    lines = [
        *open_server(),
        *stopped("labswarm-manager"),
        *open_server(second=12, node=OTHER),
        line(30, "The server jupyter-w01 has ended: its node is down", "W"),
    ]
    assert [(e.node_id, e.who) for e in endings(lines, STUDENTS)] == [
        (NODE, "labswarm-manager"),
        (OTHER, ""),
    ]


def test_lines_come_more_than_once_and_in_no_order() -> None:
    lines = [*open_server(), *stopped("w01"), "a line of the proxy's"]
    assert endings([*reversed(lines), *lines], STUDENTS) == endings(lines, STUDENTS)
