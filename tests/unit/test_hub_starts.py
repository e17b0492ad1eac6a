"""Starts, stops and polls of students' servers, over a twin of the Swarm and in virtual time."""

import asyncio
import dataclasses
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError
from tests.support.class_environment import PACKAGES, importable
from tests.support.hub_settings import GROUPS, SETTINGS
from tests.support.hub_swarm import (
    NEVER_TAKES,
    PULLS_FOREVER,
    REJECTED,
    REJECTS,
    RUNS,
    ManagerTwin,
    Worker,
    then,
)
from tests.support.virtual_time import VirtualTime

from labswarm.errors import BadInput
from labswarm.lab_hours.group_labs import GroupLab
from labswarm.seats import START_WITHIN_S
from labswarm.shortages import FILE as SHORTAGES
from labswarm.shortages import Shortages
from labswarm_hub.refusals import LEFT_OUT_S, Refusals
from labswarm_hub.seating import KEPT_S, Seating
from labswarm_hub.settings import HubSettings
from labswarm_hub.task_spec import REFUSED_BY_LABEL, SERVICE_LABEL
from labswarm_hub.waits import Waits

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from jupyterhub.apihandlers.users import UserServerAPIHandler
    from jupyterhub.handlers.pages import SpawnHandler

    from labswarm_hub import spawner as module
    from labswarm_hub.spawner import LabswarmSpawner
    from labswarm_hub.start_failed import StartFailed

LOOK_S = 0.25


class Hub:
    """The spawners of one hub, its Swarm and its clock."""

    def __init__(self, loop: VirtualTime, settings: HubSettings, workers: list[Worker]) -> None:
        self.loop = loop
        self.settings = settings
        self.swarm = ManagerTwin(settings, workers, loop.time)
        self.listens_after_s = 0.0
        """How long after its service is created a server answers."""
        self.agrees_to_end = True
        self.idle_s = 0.0
        """Since when nobody works on the servers."""
        self.asked: list[str] = []

    def spawner(self, student: str, **options: Any) -> Any:
        one = LabswarmSpawner(
            settings=self.settings, user=SimpleNamespace(name=student), look_interval=LOOK_S
        )
        for name, twin in (("docker", self.swarm.call), ("get_args", list), ("get_env", dict)):
            setattr(one, name, twin)
        one.port, one.user_options = 8888, options
        return one

    async def start(self, student: str) -> str | None:
        """Start a server; return its node."""
        one = self.spawner(student)
        assert await one.start() == ("10.0.0.7", 8888)
        return self.swarm.node_of(one.object_name)

    async def listens(self, *_: Any) -> bool:
        newest = max((s["created"] for s in self.swarm.services.values()), default=0.0)
        return self.loop.time() - newest >= self.listens_after_s

    async def asked_to_end(self, url: str, key: str) -> float | None:
        self.asked.append(url)
        return self.idle_s if self.agrees_to_end else None


NewHub = Callable[..., Hub]


@pytest.fixture
def new_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewHub]:
    """Makes a hub whose workers have four seats each."""
    loops = []

    def make(*workers: Worker | str, **settings: Any) -> Hub:
        (tmp_path / "homes").mkdir()
        (tmp_path / "manager.token").write_text("a-token\n")
        places = {
            "homes": str(tmp_path / "homes"),
            "data_dir": str(tmp_path),
            "manager_token_file": str(tmp_path / "manager.token"),
            "seat": {"memory_bytes": 512, "nano_cpus": 1},
        }
        loop = VirtualTime()
        loops.append(loop)
        hub = Hub(
            loop,
            HubSettings.parse(json.dumps(SETTINGS | places | settings)),
            [Worker(worker) if isinstance(worker, str) else worker for worker in workers],
        )

        async def inline(work: Callable[..., Any], *args: Any) -> Any:
            return work(*args)

        monkeypatch.setattr(asyncio, "to_thread", inline)
        monkeypatch.setattr(time, "monotonic", loop.time)
        # Homes belong to the students' user, which takes root.
        monkeypatch.setattr("os.chown", lambda *_: None)
        monkeypatch.setattr(module, "listens", hub.listens)
        monkeypatch.setattr(module, "asked_to_end", hub.asked_to_end)
        for name, fresh in {
            "_seatings": defaultdict(lambda: Seating(loop.time)),
            "_refusals": Refusals(),
            "_whys": {},
            "_waits": {},
            "_lines": {},
            "_choosing": asyncio.Lock(),
            "_listing_lock": asyncio.Lock(),
            "_last_listing": None,
            "_shortages": (-math.inf, Shortages()),
        }.items():
            monkeypatch.setattr(LabswarmSpawner, name, fresh)
        monkeypatch.setattr(LabswarmSpawner, "server", SimpleNamespace(base_url="/user/ada/"))
        monkeypatch.setattr(LabswarmSpawner, "clear_state", lambda self: None)
        begun = datetime.now(UTC).replace(tzinfo=None)
        kept = SimpleNamespace(started=begun, name="")
        monkeypatch.setattr(LabswarmSpawner, "orm_spawner", kept)
        return hub

    yield make
    for loop in loops:
        loop.close()


async def failure(start: Any) -> StartFailed:
    with pytest.raises(StartFailed) as failed:
        await start
    return failed.value


# A start on a free seat.


def test_a_server_starts_on_the_fullest_node_with_a_free_seat(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", seats=2), "n2")

    async def all_of_it() -> list[str | None]:
        return [await hub.start(student) for student in ("ada", "bob", "eve")]

    assert hub.loop.run(all_of_it()) == ["n1", "n1", "n2"]
    assert {home.name for home in hub.settings.homes.iterdir()} == {"ada", "bob", "eve"}


def test_a_class_that_arrives_at_once_takes_each_seat_once(new_hub: NewHub) -> None:
    hub = new_hub("n1", "n2")

    async def all_of_it() -> list[str | None]:
        return await asyncio.gather(*(hub.start(f"s{number}") for number in range(8)))

    assert sorted(hub.loop.run(all_of_it())) == ["n1"] * 4 + ["n2"] * 4
    # One listing serves all of them.
    assert hub.swarm.calls.count("nodes") < 8


def test_a_servers_folders_are_there_before_its_service(new_hub: NewHub) -> None:
    folder = {"target": "/srv/physics", "read_only": True, "writers": ["teachers"]}
    hub = new_hub("n1", folders={"physics": folder})
    source = hub.settings.homes / ".folders/physics"
    mounted: dict[str, Any] = {}

    async def docker(method: str, *args: Any, **given: Any) -> Any:
        if method == "create_service":
            mounts = given["task_template"]["ContainerSpec"]["Mounts"]
            (mount,) = [one for one in mounts if one["Target"] == "/srv/physics"]
            mounted[given["name"]] = (mount["Source"], source.is_dir(), mount["ReadOnly"])
        return await hub.swarm.call(method, *args, **given)

    async def start_both() -> None:
        for student, groups in (("ada", []), ("tea", [SimpleNamespace(name="teachers")])):
            server = hub.spawner(student)
            server.docker, server.user.groups = docker, groups
            await server.start()

    hub.loop.run(start_both())

    assert mounted == {
        "jupyter-ada": (str(source), True, True),
        "jupyter-tea": (str(source), True, False),
    }


def test_a_start_without_homes_says_so_to_the_operator_and_leaves_nothing(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    hub.settings.homes.rmdir()

    failed = hub.loop.run(failure(hub.start("ada")))
    assert "FileNotFoundError" in failed.log_message
    assert failed.jupyterhub_message.startswith("Your server could not be started.")
    assert not hub.swarm.services


def test_a_service_that_the_manager_refuses_fails_the_start_with_a_sentence(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1")
    hub.swarm.refuses_services = True

    failed = hub.loop.run(failure(hub.start("ada")))
    operator, _, code = failed.log_message.partition(" Code: ")
    assert operator == "The start failed: APIError (the manager has no leader)."
    assert failed.jupyterhub_message.endswith(f" Code: {code}")
    assert "manager" not in failed.jupyterhub_message
    # Its seat is free again.
    hub.swarm.refuses_services = False
    assert hub.loop.run(hub.start("bob")) == "n1"


def test_a_task_without_an_address_fails_the_start(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    hub.swarm.addressed = False

    failed = hub.loop.run(failure(hub.start("ada")))
    assert "the task has no address on network labswarm" in failed.log_message
    assert not hub.swarm.services


def test_a_cancelled_start_leaves_no_service_and_takes_no_seat(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", seats=1, life=PULLS_FOREVER))

    async def all_of_it() -> str | None:
        start = asyncio.create_task(hub.start("ada"))
        await asyncio.sleep(3)
        assert hub.swarm.services
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert not hub.swarm.services
        hub.swarm.worker("n1").life = RUNS
        return await hub.start("bob")

    assert hub.loop.run(all_of_it()) == "n1"


def test_a_start_waits_until_the_last_server_of_its_student_has_ended(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    old = {
        "ServiceID": "old",
        "CreatedAt": "0",
        "NodeID": "n1",
        "DesiredState": "shutdown",
        "Status": {"State": "running"},
        "Spec": {"ContainerSpec": {"Labels": {SERVICE_LABEL: "jupyter-ada"}}},
    }
    hub.swarm.leaving.append(old)

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        start = asyncio.create_task(one.start())
        await asyncio.sleep(10)
        assert not hub.swarm.created
        assert one._progress == (5, "Waiting for your last server to end.")
        hub.swarm.leaving.clear()
        await start

    hub.loop.run(all_of_it())
    assert hub.swarm.created == [("jupyter-ada", "n1")]


# The wait for the task.


def test_a_task_that_its_node_takes_late_stays_there(new_hub: NewHub) -> None:
    """A pull may take minutes. Only a node that does not take the task at all is left."""
    hub = new_hub(Worker("n1", life=then((0, "pending"), (4.5, "preparing"), (60, "running"))))

    assert hub.loop.run(hub.start("ada")) == "n1"
    assert hub.swarm.created == [("jupyter-ada", "n1")]
    assert 60 <= hub.loop.time() - 1000 < 62


def test_a_task_that_its_node_does_not_take_within_five_seconds_gets_another_seat(
    new_hub: NewHub,
) -> None:
    hub = new_hub(Worker("n1", life=NEVER_TAKES), "n2")

    async def all_of_it() -> None:
        start = asyncio.create_task(hub.start("ada"))
        await asyncio.sleep(4.9)
        assert hub.swarm.created == [("jupyter-ada", "n1")]
        await asyncio.sleep(1)
        assert len(hub.swarm.created) == 2
        hub.swarm.worker("n1").availability = "pause"
        assert await start == "n2"

    hub.loop.run(all_of_it())


def test_a_task_that_is_listed_late_is_waited_for(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    hub.swarm.lists_after_s = 8

    assert hub.loop.run(hub.start("ada")) == "n1"
    assert len(hub.swarm.created) == 1


def test_a_start_takes_ten_minutes_at_most_and_names_its_last_step(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", life=PULLS_FOREVER))

    failed = hub.loop.run(failure(hub.start("ada")))
    assert hub.loop.time() - 1000 == pytest.approx(START_WITHIN_S, abs=1)
    assert failed.jupyterhub_message.startswith("Your server did not start within 10 minutes.")
    assert (
        "Its last step: Found a seat. Starting your server on node host-of-n1."
        in failed.log_message
    )
    assert not hub.swarm.services


def test_a_clean_start_sets_the_settings_aside_once(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    settings = hub.settings.homes / "ada/.jupyter"
    settings.mkdir(parents=True)

    async def all_of_it() -> Any:
        one = hub.spawner("ada", clean=True)
        await one.start()
        assert not settings.exists()
        settings.mkdir()
        await one.start()
        assert settings.exists()
        return one

    one = hub.loop.run(all_of_it())
    assert one.user_options == one.orm_spawner.user_options == {}


def test_an_address_that_somebody_sends_sets_no_settings_aside(new_hub: NewHub) -> None:
    """JupyterHub takes options from an address as lists of texts."""
    hub = new_hub("n1")
    settings = hub.settings.homes / "ada/.jupyter"
    settings.mkdir(parents=True)
    hub.loop.run(hub.spawner("ada", clean=["yes"]).start())
    assert settings.exists()


# The line.


def test_a_student_in_line_reads_the_place_and_gets_the_next_seat(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", seats=1))

    async def all_of_it() -> None:
        await hub.start("first")
        second, third = hub.spawner("second"), hub.spawner("third")
        starts = []
        for one in (second, third):
            starts.append(asyncio.create_task(one.start()))
            await asyncio.sleep(1)
        assert second._progress[1].endswith("You are next.")
        assert third._progress[1].endswith("1 student before you.")
        # Their services exist, once each: the cluster grows by the number of them.
        assert hub.swarm.created[1:] == [("jupyter-second", None), ("jupyter-third", None)]
        hub.swarm.workers.append(Worker("n2", seats=1))
        await starts[0]
        assert hub.swarm.node_of("jupyter-second") == "n2"
        assert hub.swarm.node_of("jupyter-third") is None
        assert third._progress[1].endswith("You are next.")
        starts[1].cancel()

    hub.loop.run(all_of_it())


def test_a_student_in_line_reads_that_aws_has_no_machine_and_such_a_wait_is_not_measured(
    new_hub: NewHub,
) -> None:
    hub = new_hub(Worker("n1", availability="pause"))
    cluster = hub.settings.cluster
    file = hub.settings.data_dir / SHORTAGES

    async def all_of_it() -> None:
        spawner = hub.spawner("ada")
        start = asyncio.create_task(spawner.start())
        await asyncio.sleep(1)
        assert spawner._progress[1].startswith("A machine is starting for you")
        file.write_text(Shortages(time.time(), {cluster: time.time() + 59}).to_json())
        await asyncio.sleep(10)
        assert spawner._progress[1] == (
            "AWS has no machine of this kind right now; the next try is in about 60 s. "
            "You keep your place while this page is open. You are next."
        )
        file.write_text(Shortages(time.time(), {}).to_json())
        await asyncio.sleep(10)
        assert spawner._progress[1] == "A machine is starting for you: about 2 min. You are next."
        hub.swarm.workers.append(Worker("n2", seats=1))
        await start
        assert spawner._group_waits.node_s == Waits(file).node_s

    hub.loop.run(all_of_it())


def test_a_wait_of_ten_minutes_ends_with_a_reason_and_keeps_the_place_in_line(
    new_hub: NewHub,
) -> None:
    hub = new_hub(Worker("n1", availability="pause"))

    async def all_of_it() -> None:
        first = asyncio.create_task(failure(hub.start("first")))
        await asyncio.sleep(30)
        second = asyncio.create_task(hub.start("second"))
        failed = await first
        assert hub.loop.time() - 1000 == pytest.approx(START_WITHIN_S, abs=1)
        assert failed.jupyterhub_message == (
            "No seat became free within 10 minutes, and no new machine could be had. Start your "
            "server again within 2 minutes: you keep your place in line."
        )
        assert failed.log_message.startswith("It waited 600 s in line for a seat")
        again = asyncio.create_task(hub.start("first"))
        await asyncio.sleep(1)
        hub.swarm.workers.append(Worker("n2", seats=1))
        assert await again == "n2"
        second.cancel()

    hub.loop.run(all_of_it())


def test_a_place_that_is_kept_takes_no_seat_and_is_not_counted(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", availability="pause"))

    async def all_of_it() -> None:
        first = asyncio.create_task(failure(hub.start("first")))
        await asyncio.sleep(30)
        second = hub.spawner("second")
        start = asyncio.create_task(second.start())
        await first
        await asyncio.sleep(1)
        assert second._progress[1].endswith("You are next.")
        hub.swarm.workers.append(Worker("n2", seats=1))
        await start

    hub.loop.run(all_of_it())
    assert hub.swarm.node_of("jupyter-second") == "n2"


def test_a_place_is_kept_for_two_minutes(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", availability="pause"))

    async def all_of_it() -> None:
        first = asyncio.create_task(failure(hub.start("first")))
        await asyncio.sleep(300)
        second = asyncio.create_task(hub.start("second"))
        await first
        await asyncio.sleep(KEPT_S + 1)
        again = hub.spawner("first")
        start = asyncio.create_task(again.start())
        await asyncio.sleep(1)
        assert again._progress[1].endswith("1 student before you.")
        start.cancel()
        second.cancel()

    hub.loop.run(all_of_it())


def test_a_student_who_follows_the_line_is_never_thrown_out_of_it(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", availability="pause"))

    async def follow(one: Any) -> None:
        async for _ in one.progress():
            pass

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        start = asyncio.create_task(one.start())
        page = asyncio.create_task(follow(one))
        await asyncio.sleep(3 * START_WITHIN_S)
        assert not start.done()
        hub.swarm.workers.append(Worker("n2"))
        assert await start == ("10.0.0.7", 8888)
        page.cancel()

    hub.loop.run(all_of_it())


def test_the_wait_for_a_node_is_measured_for_the_students_after(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", seats=1))

    async def all_of_it() -> None:
        await hub.start("first")
        second = asyncio.create_task(hub.start("second"))
        await asyncio.sleep(45)
        hub.swarm.workers.append(Worker("n2", seats=1))
        await second
        third = hub.spawner("third")
        start = asyncio.create_task(third.start())
        await asyncio.sleep(1)
        assert third._progress[1] == ("A machine is starting for you: about 45 s. You are next.")
        start.cancel()

    hub.loop.run(all_of_it())


# Nodes that start no servers.


def test_a_node_that_rejects_every_server_takes_no_start_from_the_others(new_hub: NewHub) -> None:
    hub = new_hub("n1", "n2", "n3")

    async def all_of_it() -> None:
        # One student is on each; n1 is the fullest, so that it would take all.
        assert await hub.start("first") == "n1"
        hub.swarm.worker("n1").life = REJECTS
        served = [await hub.start(student) for student in ("ada", "bob", "eve", "kim")]
        assert set(served) <= {"n2", "n3"}
        # Two students tried it, the others are not sent there.
        assert [node for _, node in hub.swarm.created].count("n1") == 3
        # labswarm-snapshot reads from the servers' tasks on which node they did not start.
        labels = {
            name: spec["ContainerSpec"]["Labels"].get(REFUSED_BY_LABEL)
            for name, spec in hub.swarm.specs.items()
        }
        assert [labels[f"jupyter-{student}"] for student in ("ada", "bob", "eve")] == [
            "n1",
            "n1",
            None,
        ]
        # After a while it is tried again, and is used again once it works.
        hub.swarm.worker("n1").life = RUNS
        await asyncio.sleep(4 * LEFT_OUT_S)
        await hub.start("zoe")
        await asyncio.sleep(4 * LEFT_OUT_S)
        assert not LabswarmSpawner._refusals.left_out("x", hub.loop.time())

    hub.loop.run(all_of_it())


def test_a_server_that_runs_on_a_node_clears_the_ends_before_it(new_hub: NewHub) -> None:
    hub = new_hub("n1", Worker("n2", seats=1))

    async def ended_there(student: str) -> None:
        """A server of this student ends on n1 before it runs, and starts on the other node."""
        hub.swarm.worker("n1").life = REJECTS
        hub.swarm.worker("n2").seats += 1
        await hub.start(student)
        assert ("jupyter-" + student, "n1") in hub.swarm.created
        hub.swarm.worker("n1").life = RUNS

    async def all_of_it() -> None:
        await hub.start("first")
        await ended_there("ada")
        assert await hub.start("zoe") == "n1"
        await ended_there("bob")
        # One student's end since then keeps nobody else away.
        assert await hub.start("kim") == "n1"

    hub.loop.run(all_of_it())


def test_a_server_that_no_node_starts_fails_with_a_sentence_for_student_and_operator(
    new_hub: NewHub,
) -> None:
    hub = new_hub(*(Worker(name, life=REJECTS) for name in ("n1", "n2", "n3")))

    failed = hub.loop.run(failure(hub.start("ada")))

    assert failed.jupyterhub_message.startswith("None of the machines that were tried could start")
    assert "rejected" not in failed.jupyterhub_message
    assert "ended before it ran, on host-of-n" in failed.log_message
    assert REJECTED in failed.log_message
    tried = [node for _, node in hub.swarm.created if node]
    assert len(tried) == 4
    assert set(tried) == {"n1", "n2", "n3"}
    assert not hub.swarm.services


# The first answer.


def test_a_server_may_take_almost_two_minutes_to_answer(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    hub.listens_after_s = 119

    assert hub.loop.run(hub.start("ada")) == "n1"
    assert hub.loop.time() - 1000 == pytest.approx(119, abs=1)


def test_a_server_that_twice_does_not_answer_within_two_minutes_fails_and_is_removed(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1", "n2")
    hub.listens_after_s = 10_000

    failed = hub.loop.run(failure(hub.start("ada")))
    assert hub.loop.time() - 1000 == pytest.approx(241, abs=1)
    assert [node for _, node in hub.swarm.created] == ["n1", "n2"]
    assert "did not answer within 120 s" in failed.jupyterhub_message
    assert failed.status_code == 503
    assert not hub.swarm.services


def test_a_server_that_ends_before_it_answers_is_started_once_more_on_another_node(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1", "n2")
    hub.listens_after_s = 10_000

    async def all_of_it() -> str | None:
        start = asyncio.create_task(hub.start("ada"))
        await asyncio.sleep(5)
        hub.swarm.end("jupyter-ada", Err="task: non-zero exit (137)")
        hub.listens_after_s = 6
        return await start

    assert hub.loop.run(all_of_it()) == "n2"
    # The student's own files may be at fault, so the node still takes others.
    hub.swarm.worker("n2").availability = "pause"
    hub.listens_after_s = 0
    assert hub.loop.run(hub.start("bob")) == "n1"


def test_a_server_that_ends_twice_fails_with_its_end_in_the_log_and_a_code(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1")
    hub.listens_after_s = 10_000

    async def all_of_it() -> StartFailed:
        start = asyncio.create_task(failure(hub.start("ada")))
        for _ in range(2):
            await asyncio.sleep(5)
            hub.swarm.end("jupyter-ada", Err="task: non-zero exit (137)")
        return await start

    failed = hub.loop.run(all_of_it())
    assert hub.loop.time() - 1000 < 15
    assert "(wanted: shutdown): task: non-zero exit (137). Code: " in failed.log_message
    assert failed.log_message[-7:] == failed.jupyterhub_message[-7:]
    assert "137" not in failed.jupyterhub_message
    assert not hub.swarm.services


# Polls and stops.


def test_a_poll_removes_the_service_of_a_server_that_has_ended(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        assert await one.poll() == "it has no task"
        await one.start()
        assert await one.poll() is None
        hub.swarm.end("jupyter-ada", "complete")
        # Polls share a listing of the last second.
        assert await one.poll() is None
        await asyncio.sleep(1.1)
        assert await one.poll() == "complete (wanted: shutdown): no reason given"
        assert not hub.swarm.services

    hub.loop.run(all_of_it())


# What JupyterHub expects of every spawner: jupyterhub/tests/test_spawner.py and dockerspawner's own
# tests, as far as they concern a spawner of services.


def test_the_spawner_of_a_restarted_hub_adopts_the_server_by_its_state(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    async def all_of_it() -> None:
        before = hub.spawner("ada")
        await before.start()
        state = json.loads(json.dumps(before.get_state()))
        LabswarmSpawner._last_listing = None
        after = hub.spawner("ada")
        after.load_state(state)
        assert await after.poll() is None
        assert hub.swarm.created == [("jupyter-ada", "n1")], "it is the same server"
        await after.stop()
        assert not hub.swarm.services

    hub.loop.run(all_of_it())


def test_a_spawner_that_has_no_server_has_no_state(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        assert "object_id" not in one.get_state()
        await one.start()
        assert one.get_state()["object_name"] == "jupyter-ada"
        await one.stop()
        assert "object_id" not in one.get_state()

    hub.loop.run(all_of_it())


def test_a_server_that_was_removed_behind_the_hubs_back_has_stopped_and_stops_again(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1")

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        await one.start()
        hub.swarm.services.clear()
        await asyncio.sleep(1.1)
        assert await one.poll() == "it has no task"
        await one.stop()
        await one.stop(now=True)
        assert await one.start() == ("10.0.0.7", 8888)

    hub.loop.run(all_of_it())


def test_where_a_look_takes_long_the_hub_looks_less_often(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    async def slow(method: str, *args: Any, **asked: Any) -> Any:
        if method in ("nodes", "tasks"):
            await asyncio.sleep(1.0)
        return await hub.swarm.call(method, *args, **asked)

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        one.docker = slow
        await one.start()
        looked = hub.swarm.calls.count("nodes")
        began = hub.loop.time()
        await one._next_look()
        assert hub.loop.time() - began == pytest.approx(2)
        # And polls share a listing for four times as long as it takes.
        await one.poll()
        assert hub.swarm.calls.count("nodes") == looked
        LabswarmSpawner._last_listing = module.Listing(hub.loop.time(), 60, (), ())
        began = hub.loop.time()
        await one._next_look()
        assert hub.loop.time() - began == pytest.approx(5)

    hub.loop.run(all_of_it())


def stopped(hub: Hub, *, now: bool = False, **status: Any) -> float:
    """Stop a server, which ends itself two seconds later; return how long it took."""

    def end() -> None:
        if "jupyter-ada" in hub.swarm.services:
            hub.swarm.end("jupyter-ada", **status)

    async def all_of_it() -> float:
        one = hub.spawner("ada")
        await one.start()
        hub.loop.call_later(2, end)
        hub.swarm.calls.clear()
        began = hub.loop.time()
        await one.stop(now)
        assert not hub.swarm.services
        assert one.object_id == ""
        return hub.loop.time() - began

    took: float = hub.loop.run(all_of_it())
    return took


def test_a_server_that_agrees_ends_by_itself_before_its_service_is_removed(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1")

    assert 2 <= stopped(hub, state="complete") < 3
    assert hub.asked == ["http://10.0.0.7:8888/user/ada/"]


def test_a_server_that_agrees_and_does_not_end_is_ended_after_five_seconds(
    new_hub: NewHub,
) -> None:
    assert 5 <= stopped(new_hub("n1"), state="running") < 6


def test_a_server_that_does_not_agree_to_end_is_ended_at_once(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    hub.agrees_to_end = False

    assert stopped(hub) == 0
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("idle_s", "age_s", "whys"),
    [
        (3600.0, 0, {"": "Nobody worked on it for a while, and it made room for others."}),
        (3599.0, 0, {}),
        (10.0, 86_400, {"": "It had run for as long as a server may."}),
    ],
)
def test_a_server_that_the_culler_stops_says_why_until_it_starts_again(
    new_hub: NewHub, idle_s: float, age_s: float, whys: dict[str, str]
) -> None:
    hub = new_hub("n1")
    ada, bob = SimpleNamespace(name="ada"), SimpleNamespace(name="bob")

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        await one.start()
        hub.idle_s = idle_s
        one.orm_spawner.started -= timedelta(seconds=age_s)
        await one.stop()
        assert LabswarmSpawner.why_stopped(ada) == whys
        assert LabswarmSpawner.why_stopped(bob) == LabswarmSpawner.why_stopped(None) == {}
        await one.start()
        assert LabswarmSpawner.why_stopped(ada) == {}

    hub.loop.run(all_of_it())


def test_a_stop_in_a_hurry_asks_nothing(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    assert stopped(hub, now=True) == 0
    assert hub.asked == []
    assert hub.swarm.calls == ["remove_service"]


@pytest.mark.parametrize("lost", ["the address", "the hub's record"])
def test_a_server_that_cannot_be_asked_is_ended_at_once(
    lost: str, new_hub: NewHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = new_hub("n1")

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        await one.start()
        await asyncio.sleep(1)
        if lost == "the address":
            hub.swarm.addressed = False
        else:
            monkeypatch.setattr(LabswarmSpawner, "server", None)
        await one.stop()

    hub.loop.run(all_of_it())
    assert hub.asked == []
    assert not hub.swarm.services


def test_a_stop_removes_the_service_also_when_the_swarm_cannot_be_listed(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    async def unlisted(method: str, *args: Any, **asked: Any) -> Any:
        if method == "tasks":
            raise APIError("no answer")
        return await hub.swarm.call(method, *args, **asked)

    async def all_of_it() -> None:
        one = hub.spawner("ada")
        await one.start()
        await asyncio.sleep(1)
        one.docker = unlisted
        with pytest.raises(APIError):
            await one.stop()

    hub.loop.run(all_of_it())
    assert not hub.swarm.services


def test_the_page_gets_each_change_of_the_progress_once(new_hub: NewHub) -> None:
    hub = new_hub(Worker("n1", life=then((0, "preparing"), (30, "running"))))

    async def all_of_it() -> list[int]:
        one = hub.spawner("ada")
        seen = []

        async def watch() -> None:
            async for event in one.progress():
                assert event["message"]
                seen.append(event["progress"])

        watching = asyncio.create_task(watch())
        await one.start()
        await asyncio.sleep(1)
        watching.cancel()
        return seen

    assert hub.loop.run(all_of_it()) == [5, 50, 80]


# The server's surroundings.


def test_a_server_has_its_own_key_and_the_hubs_environment(
    new_hub: NewHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = new_hub("n1", environment={"CLASS": "db"})
    monkeypatch.setattr(LabswarmSpawner.__base__, "get_env", lambda self: {"JUPYTERHUB_USER": "x"})
    environments = []
    for student in ("ada", "bob"):
        one = hub.spawner(student)
        del one.get_env
        environments.append(one.get_env())

    ada, bob = environments
    assert ada["CLASS"] == "db"
    assert (ada["HOME"], ada["JUPYTERHUB_USER"]) == ("/home/jovyan", "x")
    assert ada["LABSWARM_NOTICE_KEY"] != bob["LABSWARM_NOTICE_KEY"]


def test_a_profile_chooses_the_group_its_line_and_its_limits(new_hub: NewHub) -> None:
    hub = new_hub(**GROUPS)
    one, plain = hub.spawner("ada", profile="cuda"), hub.spawner("bob")

    one._apply_group(one.group)
    assert (one.group.cluster, one.image) == ("lab-gpu", hub.settings.groups["gpu"].image)
    assert (one.mem_guarantee, one.mem_limit) == (4096, 8192)
    assert (one.cpu_guarantee, one.cpu_limit) == (2e-6, 4e-6)
    assert one._seating is not plain._seating
    assert "A GPU" in one.options_form(one)
    assert one.options_from_form({"profile": ["cuda"]}) == {"profile": "cuda"}
    assert not new_options(hub).options_form


def new_options(hub: Hub) -> Any:
    """A spawner of a hub without profiles."""
    settings = HubSettings.parse(json.dumps(SETTINGS))
    return LabswarmSpawner(settings=settings, user=SimpleNamespace(name="ada"))


def test_a_start_with_an_unknown_profile_is_refused(new_hub: NewHub) -> None:
    hub = new_hub("n1")

    with pytest.raises(BadInput, match="there is no 'gpu'"):
        hub.loop.run(hub.spawner("ada", profile="gpu").start())


def kept(hub: Hub, handler: type[Any]) -> Any:
    """A server whose kept profile is not in the settings."""
    one = hub.spawner("ada", profile="gpu")
    one.orm_spawner = SimpleNamespace(server=None, name="", user_options={"profile": "gpu"})
    one.handler = object.__new__(handler)
    return one


def test_a_profile_that_is_gone_is_dropped_when_its_student_starts_by_hand(
    new_hub: NewHub,
) -> None:
    hub = new_hub("n1")
    one = kept(hub, SpawnHandler)

    # As JupyterHub does before each start.
    hub.loop.run(one._run_apply_user_options(one.user_options))
    assert (one.user_options, one.orm_spawner.user_options) == ({}, {})
    assert one.group.cluster == hub.settings.cluster


def test_a_server_whose_profile_is_gone_is_moved_to_no_other_workers(new_hub: NewHub) -> None:
    hub = new_hub("n1")
    one = kept(hub, UserServerAPIHandler)

    failed = hub.loop.run(failure(one._run_apply_user_options(one.user_options)))
    assert failed.jupyterhub_message == "The profile 'gpu' is no longer offered."
    # It is the student's choice that is wrong; other failures are the service's.
    assert failed.status_code == 400
    assert one.user_options == {"profile": "gpu"}


@pytest.mark.parametrize("handler", [UserServerAPIHandler, SpawnHandler])
def test_a_student_whose_profile_is_gone_reads_the_choices(
    handler: type[Any], new_hub: NewHub
) -> None:
    hub = new_hub("n1", **GROUPS)
    one = kept(hub, handler)

    failed = hub.loop.run(failure(one._run_apply_user_options(one.user_options)))
    assert failed.jupyterhub_message == (
        "The profile 'gpu' is no longer offered. Start your server again and choose A notebook or "
        "A GPU."
    )
    one.user_options = {"profile": "cuda"}
    hub.loop.run(one._run_apply_user_options(one.user_options))
    assert one.user_options == {"profile": "cuda"}


# An exam.


class Booked:
    """The labs that the page has booked."""

    def __init__(self, *labs: GroupLab) -> None:
        self._labs = labs

    async def labs(self) -> tuple[GroupLab, ...]:
        return self._labs


@pytest.fixture
def exam(monkeypatch: pytest.MonkeyPatch) -> GroupLab:
    """An exam of the group physics that runs."""
    now = time.time()
    lab = GroupLab("exam0001", "Physics", "physics", now - 60, now + 3600, exam=True, by="curie")
    monkeypatch.setattr(LabswarmSpawner, "_booked", Booked(lab))
    return lab


def of_exam(hub: Hub, student: str, **options: Any) -> Any:
    one = hub.spawner(student, **options)
    one.user.groups = [SimpleNamespace(name="physics")]
    return one


def test_a_server_of_an_exam_has_an_empty_home_a_frozen_image_and_no_more_than_its_seat(
    new_hub: NewHub, exam: GroupLab
) -> None:
    hub = new_hub("n1")
    (hub.settings.homes / "ada").mkdir()
    (hub.settings.homes / "ada/notes").write_text("from last week")
    one = of_exam(hub, "ada")
    hub.loop.run(one.start())

    spec = hub.swarm.specs["jupyter-ada"]
    home = hub.settings.homes / ".exams" / exam.key / "ada"
    assert spec["ContainerSpec"]["Mounts"][0]["Source"] == str(home)
    assert list(home.iterdir()) == []
    resources = spec["Resources"]
    for name, guaranteed in resources["Reservations"].items():
        assert resources["Limits"][name] == guaranteed
    assert one.user_options == {"exam": exam.key}

    hub.settings = dataclasses.replace(hub.settings, image="another")
    hub.loop.run(of_exam(hub, "bob").start())
    assert hub.swarm.specs["jupyter-bob"]["ContainerSpec"]["Image"] == one.image


def test_a_student_of_no_exam_starts_as_always_and_after_it_everybody_does(
    new_hub: NewHub, exam: GroupLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = new_hub("n1")

    def home(student: str) -> str:
        return str(hub.swarm.specs[f"jupyter-{student}"]["ContainerSpec"]["Mounts"][0]["Source"])

    hub.loop.run(hub.spawner("eve", exam=exam.key).start())
    assert home("eve") == str(hub.settings.homes / "eve")

    one = of_exam(hub, "ada")
    hub.loop.run(one.start())
    monkeypatch.setattr(LabswarmSpawner, "_booked", Booked())
    hub.loop.run(one.start())
    assert home("ada") == str(hub.settings.homes / "ada")
    assert one.user_options == {}


def test_a_server_of_an_exam_announces_no_end_for_idleness_or_age(
    new_hub: NewHub, exam: GroupLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = new_hub("n1")
    one = of_exam(hub, "ada")
    hub.loop.run(one.start())
    monkeypatch.setattr(LabswarmSpawner.__base__, "get_env", lambda self: {})

    environment = LabswarmSpawner.get_env(one)
    assert environment["LABSWARM_IDLE_TIMEOUT_S"] == environment["LABSWARM_ENDS_AT"] == ""


def test_each_failure_in_an_exam_is_logged_for_the_alarm(
    new_hub: NewHub, exam: GroupLab, caplog: pytest.LogCaptureFixture
) -> None:
    hub = new_hub("n1")

    def risks() -> list[str]:
        return [line for line in caplog.messages if line.startswith("Exam at risk: ")]

    one = of_exam(hub, "ada")
    hub.loop.run(one.start())
    assert risks() == []
    hub.swarm.end("jupyter-ada")
    hub.loop.run(asyncio.sleep(2))
    hub.loop.run(one.poll())
    assert f"{exam.key} of ada: the server has ended" in risks()[0]

    hub.swarm.refuses_services = True
    hub.loop.run(failure(of_exam(hub, "bob").start()))
    hub.loop.run(failure(hub.spawner("eve").start()))
    assert [line.split()[5] for line in risks()] == ["ada:", "bob:"]


# Hours.


def test_a_student_whose_hours_are_used_starts_only_in_booked_labs(
    new_hub: NewHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = new_hub("n1", hours_per_week=2)
    one = of_exam(hub, "ada")
    begun = datetime.now(UTC) - timedelta(hours=3)
    one.orm_spawner.started = begun.replace(tzinfo=None)
    monkeypatch.setattr("labswarm_hub.hours.week_of", lambda at: "2027-02-08")

    async def starts_and_stops() -> None:
        await one.start()
        await one.stop()
        await one.stop()

    hub.loop.run(starts_and_stops())
    used = one._hours.used_s("ada", time.time())
    assert used == pytest.approx(3 * 3600, abs=60)

    refused = hub.loop.run(failure(of_exam(hub, "ada").start()))
    assert refused.status_code == 403
    assert refused.jupyterhub_message.startswith("You have used your 2 hours of this week.")
    assert hub.loop.run(hub.start("bob")) == "n1"

    now = time.time()
    lab = GroupLab("lab00001", "Lab", "physics", now - 60, now + 60, exam=False, by="curie")
    monkeypatch.setattr(LabswarmSpawner, "_booked", Booked(lab))
    hub.loop.run(of_exam(hub, "ada").start())
