"""A student reads of a server's limits: its time, its memory and its home."""

import importlib
import os
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "cookbooks/labswarm_worker/files/default"
NOW = 1_796_000_000.0
VERSION_1 = ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n", "total_rss")
VERSION_2 = ("memory.events", "low 0\nhigh 0\nmax 61\noom 3\noom_kill {}\n", "anon")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file, which is mounted into each server and belongs to no package."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("labswarm_limits")


class Group:
    """A control group's files."""

    def __init__(self, folder: Path, version: tuple[str, str, str]) -> None:
        name, self._events, used = version
        self.files = ((folder / name, folder / "memory.stat", used),)
        (folder / "memory.stat").write_text(f"cache 1\n{used} {210 * 2**20}\nfile 7\n")
        self.kill(0)

    def kill(self, count: int) -> None:
        self.files[0][0].write_text(self._events.format(count))


@pytest.mark.parametrize("version", [VERSION_1, VERSION_2])
def test_a_program_that_was_stopped_for_its_memory_is_named_with_limit_and_use(
    limits: ModuleType, tmp_path: Path, version: tuple[str, str, str]
) -> None:
    group = Group(tmp_path, version)
    memory = limits.Memory(512 * 2**20, group.files)
    assert not memory.look(NOW)
    assert memory.notice(NOW) is None

    group.kill(1)

    assert memory.look(NOW)
    first = memory.notice(NOW + 1)
    assert first["kind"] == "memory"
    assert first["message"].startswith("512 MB is your limit. A program that needed more")
    assert "uses 210 MB now" in first["message"]
    assert not memory.look(NOW + 2)
    assert memory.notice(NOW + limits.SHOWN_S + 1) is None
    group.kill(2)
    assert memory.look(NOW + 700)
    assert memory.notice(NOW + 700)["id"] != first["id"], "the page shows the second one too"


def test_programs_stopped_before_the_server_began_are_no_news(
    limits: ModuleType, tmp_path: Path
) -> None:
    group = Group(tmp_path, VERSION_2)
    group.kill(4)
    memory = limits.Memory(None, group.files)
    assert not memory.look(NOW)
    group.kill(5)
    assert memory.look(NOW)
    assert memory.notice(NOW)["message"].startswith("A program that needed more")


def test_a_server_without_control_groups_has_no_such_notice(
    limits: ModuleType, tmp_path: Path
) -> None:
    memory = limits.Memory(2**29, ((tmp_path / "none", tmp_path / "none", "anon"),))
    assert not memory.look(NOW)
    assert memory.notice(NOW) is None


def room(blocks: int, free: int) -> os.statvfs_result:
    """The description of a file system of so many KiB."""
    return os.statvfs_result((1024, 1024, blocks, free, free, 0, 0, 0, 0, 255))


@pytest.mark.parametrize(
    ("blocks", "free", "said"),
    [
        (2**20, 2**19, None),
        (2**20, 30 * 1024, None),
        (2**20, 10 * 1024, "Your home has 10 MB left of 1024 MB."),
        (2**20, 0, "Your home has 0 MB left of 1024 MB."),
        (2**33, 40 * 1024, "Your home has 40 MB left of 8388608 MB."),
        # EFS says that it has no end.
        (2**53, 2**53 - 1, None),
    ],
)
def test_a_home_with_little_room_says_so(
    limits: ModuleType, monkeypatch: pytest.MonkeyPatch, blocks: int, free: int, said: str | None
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: room(blocks, free))
    notice = limits.home_notice(Path("/home/jovyan"))
    assert (notice and notice["message"].partition(" Delete")[0]) == said


def home_of(folder: Path, **sizes: int) -> Path:
    for name, size in sizes.items():
        (folder / name).write_bytes(b"x" * size)
    return folder


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (8 * 2**20, None),
        (9 * 2**20, "Your home has 9 MB of the 10 MB that it may have."),
        (11 * 2**20, "Your home has 11 MB of the 10 MB that it may have."),
    ],
)
def test_a_home_that_has_nine_tenths_of_its_size_says_so(
    limits: ModuleType, tmp_path: Path, used: int, said: str | None
) -> None:
    home = home_of(tmp_path, notebook=used - 5, other=5)
    use = limits.HomeUse.of(home, {"LABSWARM_HOME_BYTES": str(10 * 2**20)})
    assert (use.notice(), use.shown()) == (None, None)

    use.measure()

    assert use.shown() == {"used": used, "capacity": 10 * 2**20}
    notice = use.notice()
    assert (notice and notice["message"].partition(" Delete")[0]) == said


def test_a_home_without_a_size_is_not_measured(limits: ModuleType, tmp_path: Path) -> None:
    use = limits.HomeUse.of(tmp_path, {"LABSWARM_HOME_BYTES": ""})
    use.begin()
    use.measure()
    assert (use.notice(), use.shown()) == (None, None)


def test_folders_of_the_class_and_links_do_not_count_as_the_home(
    limits: ModuleType, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home_of(home, notebook=100)
    (home / "work").mkdir()
    home_of(home / "work", data=20)
    (home / "physics").mkdir()
    home_of(home / "physics", datasets=1000)
    (home / "link").symlink_to(tmp_path)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 /.folders/physics {home}/physics rw - nfs4 efs rw\n")

    link = (home / "link").lstat().st_size
    assert limits.size_of(home, mounts) == 120 + link
    assert limits.size_of(home, tmp_path / "none") == 1120 + link
    assert limits.size_of(tmp_path / "gone") == 0


HOUR = {"LABSWARM_IDLE_TIMEOUT_S": "3600", "LABSWARM_IDLE_WARNING_S": "300"}


@pytest.mark.parametrize(
    ("idle_s", "left_s"), [(0, None), (3299, None), (3300, 300), (3599, 1), (3700, -100)]
)
def test_a_student_is_notified_five_minutes_before_an_idle_server_stops(
    limits: ModuleType, idle_s: float, left_s: float | None
) -> None:
    notice = limits.TimeLimits.of(HOUR).notice(NOW - idle_s, NOW)
    assert (notice and (notice["kind"], notice["deadline"] - NOW)) == (
        None if left_s is None else ("idle", left_s)
    )


def test_half_of_a_short_limit_is_free_of_warnings(limits: ModuleType) -> None:
    short = limits.TimeLimits.of({**HOUR, "LABSWARM_IDLE_TIMEOUT_S": "60"})
    assert short.notice(NOW - 29, NOW) is None
    assert short.notice(NOW - 30, NOW)["deadline"] == NOW + 30


def test_work_does_not_prolong_a_server_of_the_greatest_age(limits: ModuleType) -> None:
    old = limits.TimeLimits.of({**HOUR, "LABSWARM_ENDS_AT": str(int(NOW) + 200)})
    notice = old.notice(NOW, NOW)
    assert (notice["kind"], notice["deadline"]) == ("age", NOW + 200)
    assert old.notice(NOW - 200, NOW - 200) is None


ENDS = NOW + 300


@pytest.mark.parametrize(
    ("worked_s", "now_s", "shown", "over"),
    [
        (-400, 0, True, False),  # five minutes before the end
        (-10, 0, True, False),  # also to a student who works: the lab ends for everybody
        (-10, 301, False, True),  # worked last before the notice
        (10, 301, False, False),  # pressed "Keep working", or typed
        (-10, 299, True, False),
    ],
)
def test_at_the_end_of_a_lab_a_server_stops_on_which_nobody_has_worked_since_the_notice(
    limits: ModuleType, worked_s: float, now_s: float, shown: bool, over: bool
) -> None:
    lab = limits.LabEnd()
    lab.ends_at = int(ENDS)
    assert lab.is_over(NOW + worked_s, NOW + now_s) == over
    notice = lab.notice(NOW + worked_s, NOW + now_s)
    # Until the culler comes, a student who looks again reads why the server stops.
    assert (notice is not None) == (shown or over)
    assert notice is None or (notice["kind"], notice["deadline"]) == ("lab", ENDS)


def test_a_lab_that_is_long_over_and_a_server_without_a_lab_have_no_such_notice(
    limits: ModuleType,
) -> None:
    lab = limits.LabEnd()
    assert lab.notice(NOW - 10_000, NOW) is None
    assert not lab.is_over(NOW - 10_000, NOW)
    lab.ends_at = int(NOW)
    assert lab.notice(NOW - 10_000, NOW + limits.LAB_SHOWN_S) is None
    assert lab.is_over(NOW - 10_000, NOW + limits.LAB_SHOWN_S)


@pytest.mark.parametrize("text", ["", "soon", "-5"])
def test_a_server_of_an_older_hub_has_no_such_limits(limits: ModuleType, text: str) -> None:
    unknown = dict.fromkeys((*HOUR, "LABSWARM_ENDS_AT"), text)
    for environment in ({}, unknown):
        assert limits.TimeLimits.of(environment).notice(NOW - 10**6, NOW) is None
