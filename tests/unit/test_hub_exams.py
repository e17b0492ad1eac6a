"""An exam at the hub: whose servers belong to it, how they differ, and the copies at its end."""

import asyncio
import hashlib
import json
import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES, importable
from tests.support.hub_settings import SETTINGS

from labswarm.errors import BadInput
from labswarm.lab_hours.booked_labs import group_labs
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.group_labs import (
    AROUND_S,
    WARM_UP_S,
    GroupLab,
    key_of_labs,
    parsed,
    written,
)
from labswarm_hub.copying import NOT_COPIED, Incomplete
from labswarm_hub.exams import Record, Records, exam_of, for_exam, key_in, with_key
from labswarm_hub.homes import EXAMS
from labswarm_hub.settings import HubSettings

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from aiohttp import web

    from labswarm_hub.booked import KEPT_S, PATH, BookedLabs
    from labswarm_hub.culler import Idle
    from labswarm_hub.exam_copies import HASHES, ExamCopies, copy_all

NOW = datetime(2027, 2, 9, 9, 0, tzinfo=UTC).timestamp()
EXAM = GroupLab("exam0001", "Physics 1", "physics", NOW, NOW + 7200, exam=True, by="curie")
LAB = replace(EXAM, booking="lab00001", exam=False)
KEY = "exam0001-20270209T0900"


# Whose servers belong to it.


@pytest.mark.parametrize(
    ("seconds", "found"),
    [(-WARM_UP_S - 1, False), (-WARM_UP_S, True), (7199, True), (7200, False)],
)
def test_a_start_from_the_warm_up_to_the_end_is_one_of_the_exam(
    seconds: float, found: bool
) -> None:
    assert (exam_of([LAB, EXAM], {"physics"}, NOW + seconds) == EXAM) is found


def test_only_members_of_the_group_write_it_and_a_lab_is_no_exam() -> None:
    assert exam_of([EXAM], {"chemistry"}, NOW) is None
    assert exam_of([LAB], {"physics"}, NOW) is None


def test_a_key_that_a_student_sends_counts_for_nothing() -> None:
    sent = {"exam": "another", "profile": "gpu"}

    assert with_key(sent, None) == {"profile": "gpu"}
    assert with_key(sent, EXAM) == {"profile": "gpu", "exam": KEY}
    assert (key_in({"exam": KEY}), key_in({"exam": ["x"]}), key_in({})) == (KEY, None, None)


def test_the_labs_of_groups_are_those_of_the_day() -> None:
    def booked(name: str, starts_in: timedelta, **more: Any) -> StoredBooking:
        starts = datetime.fromtimestamp(NOW, UTC) + starts_in
        return StoredBooking(
            id=name,
            cluster="lab",
            title="Physics 1",
            start=f"{starts:%Y-%m-%dT%H:%M}",
            end=f"{starts + timedelta(hours=2):%Y-%m-%dT%H:%M}",
            time_zone="UTC",
            seats=12,
            created_by="curie",
            **more,
        )

    bookings = [
        booked("exam0001", timedelta(0), group="physics", options={"exam": "1"}),
        booked("nogroup0", timedelta(0)),
        booked("nextweek", timedelta(seconds=AROUND_S + 60), group="physics"),
    ]

    labs = group_labs(bookings, NOW + 60)
    assert labs == [EXAM]
    assert parsed(written(labs)) == (EXAM,)
    with pytest.raises(BadInput, match="no JSON"):
        parsed("<html>")


# How a server differs.


def test_the_limit_is_the_guarantee() -> None:
    group = HubSettings.parse(json.dumps(SETTINGS)).own

    limit = for_exam(group, "frozen").limit
    assert (limit.memory_bytes, limit.nano_cpus) == (512, 250)
    assert limit.pids == group.limit.pids


def test_the_image_of_the_first_server_is_that_of_all(tmp_path: Path) -> None:
    folder = tmp_path / "exams"

    assert Records(folder).frozen_image(EXAM, "", "first") == "first"
    # After a restart of the hub with another image.
    assert Records(folder).frozen_image(EXAM, "", "second") == "first"
    assert Records(folder).frozen_image(EXAM, "gpu", "other") == "other"
    assert Records(folder).frozen_image(replace(EXAM, booking="b"), "", "second") == "second"


def test_an_exam_is_over_at_its_last_known_end_until_it_is_copied(tmp_path: Path) -> None:
    records = Records(tmp_path / "exams")
    assert records.over(NOW) == []
    records.frozen_image(EXAM, "", "first")
    records.frozen_image(replace(EXAM, ends=EXAM.ends + 600), "", "first")

    assert records.over(EXAM.ends) == []
    (record,) = records.over(EXAM.ends + 600)
    records.close(record)
    assert records.over(EXAM.ends + 600) == []


def test_a_server_of_an_exam_is_never_culled() -> None:
    async def idle_s(server: Any) -> float:
        return 1e6

    clock = iter([0.0, 1e6, 1e6])
    idle = Idle(idle_s, lambda: next(clock))

    def culled(**options: str) -> bool:
        server = {"name": "", "url": "/user/ada/", "user_options": options}
        return asyncio.run(idle(inactive=None, inactive_limit=3600, server=server))

    assert culled()
    assert not culled(exam=KEY)


# The labs, as the hub asks for them.


class Page:
    """The page for instructors, as far as the hub asks it."""

    def __init__(self) -> None:
        self.labs: list[GroupLab] = [EXAM]
        self.asked = 0
        self.up = True

    async def answer(self, request: Any) -> Any:
        self.asked += 1
        key = f"labswarm {key_of_labs('a-token', 'lab')}"
        if not self.up or request.headers["Authorization"] != key:
            return web.Response(status=503)
        return web.Response(text=written(self.labs))


def test_the_labs_are_those_of_the_last_answer_also_after_a_restart(tmp_path: Path) -> None:
    page, now = Page(), [1000.0]

    async def all_of_it() -> None:
        application = web.Application()
        application.router.add_get(PATH, page.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]

        def booked() -> BookedLabs:
            url, key = f"http://127.0.0.1:{port}{PATH}", key_of_labs("a-token", "lab")
            return BookedLabs(url, key, tmp_path / "labs.json", lambda: now[0])

        labs = booked()
        assert [await labs.labs(), await labs.labs()] == [(EXAM,), (EXAM,)]
        assert page.asked == 1
        page.up = False
        now[0] += KEPT_S
        assert await labs.labs() == (EXAM,)
        assert page.asked == 2
        assert await booked().labs() == (EXAM,)
        page.up, page.labs = True, []
        now[0] += KEPT_S
        assert await labs.labs() == ()
        await runner.cleanup()
        # Nobody listens there any more.
        assert await booked().labs() == ()

    asyncio.run(all_of_it())


# The copies.


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Homes belong to the students' user, which takes root.
    monkeypatch.setattr("os.chown", lambda *_, **__: None)
    monkeypatch.setattr("os.fchown", lambda *_: None)
    exam = tmp_path / EXAMS / KEY
    for student in ("ada", "bob"):
        (exam / student / "work").mkdir(parents=True)
        (exam / student / "work/answer.ipynb").write_text(f"by {student}")
    (exam / "ada/big").write_bytes(os.urandom(3 * 2**20 + 1))
    return tmp_path


RECORD = Record(EXAM, {"": "first"})


def hashed(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_copies_are_complete_by_their_hashes(homes: Path) -> None:
    where, files = copy_all(homes, RECORD)

    assert where == homes / f"curie/exam--50hysics-201-{KEY}"
    originals = {
        student.name: hashed(student) for student in sorted((homes / EXAMS / KEY).iterdir())
    }
    assert {name: hashed(where / name) for name in originals} == originals
    assert json.loads((where / HASHES).read_text()) == originals
    assert files == 3


def test_a_link_or_a_pipe_of_a_student_is_named_and_not_followed(homes: Path) -> None:
    ada = homes / EXAMS / KEY / "ada"
    (ada / "passwords").symlink_to("/etc/passwd")
    (ada / "up").symlink_to("../..")
    os.mkfifo(ada / "pipe")

    where, _ = copy_all(homes, RECORD)

    assert {one.name for one in (where / "ada").iterdir()} == {"work", "big"}
    hashes = json.loads((where / HASHES).read_text())["ada"]
    assert [hashes[name] for name in ("passwords", "up", "pipe")] == [NOT_COPIED] * 3


def test_a_home_that_is_a_link_is_not_written_to(homes: Path) -> None:
    (homes / "elsewhere").mkdir()
    (homes / "curie").symlink_to("elsewhere")

    with pytest.raises(OSError, match="curie"):
        copy_all(homes, RECORD)
    assert not list((homes / "elsewhere").iterdir())


class Servers:
    """An exam's servers at the hub."""

    def __init__(self, *students: str) -> None:
        self.there = list(students)
        self.stopped: list[str] = []

    async def of_exam(self, key: str) -> list[tuple[str, str]]:
        assert key == KEY
        return [(student, "") for student in self.there]

    async def stop(self, user: str, name: str) -> None:
        self.stopped.append(user)


class Labs:
    """The labs that are known."""

    known: tuple[GroupLab, ...] = ()

    async def labs(self) -> tuple[GroupLab, ...]:
        return self.known


class Rig:
    """An exam of two students that is over."""

    def __init__(self, homes: Path) -> None:
        settings = HubSettings.parse(json.dumps(SETTINGS | {"homes": str(homes)}))
        self.records = Records(homes / "records")
        self.records.frozen_image(EXAM, "", "first")
        self.servers, self.labs = Servers("ada", "bob"), Labs()
        servers: Any = self.servers
        labs: Any = self.labs
        self.copies = ExamCopies(settings, self.records, servers, labs)

    def look(self, now: float = EXAM.ends) -> None:
        asyncio.run(self.copies.look(now))


@pytest.fixture
def rig(homes: Path) -> Rig:
    return Rig(homes)


def test_the_servers_stop_before_their_files_are_copied(rig: Rig, homes: Path) -> None:
    rig.look(EXAM.ends - 1)
    assert rig.servers.stopped == []
    rig.look()
    assert rig.servers.stopped == ["ada", "bob"]
    assert not (homes / "curie").exists()

    rig.servers.there = []
    rig.look()
    assert len(list((homes / "curie").iterdir())) == 1
    rig.look()
    assert len(list((homes / "curie").iterdir())) == 1


def test_an_exam_that_was_extended_goes_on(rig: Rig) -> None:
    rig.labs.known = (replace(EXAM, ends=EXAM.ends + 600),)
    rig.look()
    assert rig.servers.stopped == []


def test_a_copy_that_fails_raises_the_alarm_and_is_tried_again(
    rig: Rig, homes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.servers.there = []
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        # A file system that loses what is written.
        broken.setattr("os.write", lambda opened, piece: len(piece))
        rig.look()
    assert "Exam at risk" in caplog.text
    assert Incomplete.__name__ in caplog.text

    rig.look()
    assert sorted(one.name[-2:] for one in (homes / "curie").iterdir()) == ["-2", "00"]
