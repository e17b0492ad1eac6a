"""Idle means idle: executions, saves and terminals count; polls and pings do not."""

import asyncio
import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES, importable
from tests.support.hub_settings import SETTINGS

from labswarm.notices import key_of
from labswarm_hub.settings import HubSettings

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from jupyter_events import EventLogger
    from jupyter_server import DEFAULT_EVENTS_SCHEMA_PATH
    from jupyter_server.services.contents.filemanager import AsyncFileContentsManager
    from jupyterhub_idle_culler import IdleCuller

    from labswarm_hub.culler import FullHomes, Idle, culler, main
    from labswarm_hub.student_servers import (
        HomeUse,
        StudentServers,
        owner_of,
        service_address,
    )

NOTICE = Path(__file__).parents[2] / "cookbooks/labswarm_worker/files/default/labswarm_notice.py"
NOW = 1_800_000_000.0
LIMIT_S = 3600
SERVER = {"name": "", "url": "/user/ada/"}


# The rule.


def culled(
    idle_s: float | None, inactive_s: float | None, hub_runs_s: float = 10 * LIMIT_S
) -> bool:
    """Whether a server is culled: by its own answer, JupyterHub's, and the age of the hub."""
    clock = iter([0.0, hub_runs_s])

    async def answer(server: Any) -> float | None:
        assert server == SERVER
        return idle_s

    idle = Idle(answer, lambda: next(clock))
    inactive = None if inactive_s is None else timedelta(seconds=inactive_s)
    return asyncio.run(idle(inactive=inactive, inactive_limit=LIMIT_S, server=SERVER))


def test_a_server_on_which_nobody_works_is_culled_though_a_page_polls_it() -> None:
    assert culled(LIMIT_S, inactive_s=0)
    assert not culled(LIMIT_S - 1, inactive_s=0)


def test_a_server_with_a_silent_computation_stays() -> None:
    assert not culled(0, inactive_s=10 * LIMIT_S)


def test_for_a_server_that_does_not_answer_jupyterhub_s_own_time_counts() -> None:
    assert culled(None, inactive_s=LIMIT_S)
    assert not culled(None, inactive_s=LIMIT_S - 1)
    assert not culled(None, inactive_s=None)


def test_nobody_is_culled_right_after_the_hub_came_back() -> None:
    assert not culled(10 * LIMIT_S, inactive_s=10 * LIMIT_S, hub_runs_s=LIMIT_S - 1)
    assert culled(10 * LIMIT_S, inactive_s=10 * LIMIT_S, hub_runs_s=LIMIT_S)


def test_the_culler_has_the_settings_times_and_an_upper_age(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token\n")
    own = {"manager_token_file": str(tmp_path / "token"), "idle_timeout_s": 90}
    program = culler(HubSettings.parse(json.dumps(SETTINGS | own)))

    assert (program.timeout, program.cull_every, program.max_age) == (90, 9, 24 * 3600)


def test_the_program_reads_the_hubs_settings_and_culls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("a-token\n")
    own = {"manager_token_file": str(tmp_path / "token"), "idle_timeout_s": 70}
    (tmp_path / "hub.json").write_text(json.dumps(SETTINGS | own))
    monkeypatch.setenv("LABSWARM_HUB_CONFIG", str(tmp_path / "hub.json"))
    started: list[int] = []
    monkeypatch.setattr(IdleCuller, "start", lambda self: started.append(self.timeout))

    main()

    assert started == [70]


# Full homes.


def logged(
    caplog: pytest.LogCaptureFixture, use: HomeUse | None, *looks_at_s: float
) -> tuple[list[str], int]:
    """Return the lines that looks at these times log, and how often the server was asked."""
    clock, asked = iter(looks_at_s), 0

    async def answer(_server: Any) -> HomeUse | None:
        nonlocal asked
        asked += 1
        return use

    homes = FullHomes(answer, lambda: next(clock))

    async def look() -> None:
        for _ in looks_at_s:
            await homes.look(SERVER)

    asyncio.run(look())
    return [record.getMessage() for record in caplog.records], asked


FULL = "The home of 'ada' is full: 11 MB of 10 MB"


def test_a_full_home_is_logged_every_ten_minutes(caplog: pytest.LogCaptureFixture) -> None:
    use = HomeUse(11 * 2**20, 10 * 2**20)
    assert logged(caplog, use, 0, 60, 599, 600) == ([FULL, FULL], 2)


@pytest.mark.parametrize("use", [None, HomeUse(10 * 2**20 - 1, 10 * 2**20)])
def test_a_home_with_room_and_one_that_is_not_known_are_not_logged(
    caplog: pytest.LogCaptureFixture, use: HomeUse | None
) -> None:
    assert logged(caplog, use, 0) == ([], 1)


def test_the_culler_asks_for_homes_only_if_they_have_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("a-token\n")
    own = {"manager_token_file": str(tmp_path / "token")}
    asked: list[Any] = []

    async def look(_self: Any, server: Any) -> None:
        asked.append(server)

    monkeypatch.setattr(FullHomes, "look", look)
    given = {"inactive": timedelta(0), "inactive_limit": LIMIT_S, "server": SERVER}
    for size in ({}, {"home_bytes": 10}):
        program = culler(HubSettings.parse(json.dumps(SETTINGS | own | size)))
        assert asyncio.run(program.cull_arbiter_hook(**given)) is False

    assert asked == [SERVER]


def test_the_alarm_of_full_homes_counts_the_cullers_lines() -> None:
    text = (Path(__file__).parents[2] / "terraform-base/modules/hub/observability.tf").read_text()
    pattern = text.partition('"full_homes" {')[2].partition("pattern")[2].splitlines()[0]
    words = [word for word in pattern.split('\\"') if word.strip(' ="')]

    assert words == ["The home of", "is full"]
    assert all(word in FULL for word in words)


# The question.


def answered(
    answer: str, server: dict[str, str] | None = None, question: str = "idle_s"
) -> tuple[Any, list[str]]:
    """Return a server's answer to a question, and its requests."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer.encode())
        writer.close()

    async def ask() -> Any:
        async with await asyncio.start_server(serve, "127.0.0.1") as listening:
            port = listening.sockets[0].getsockname()[1]
            asked = StudentServers("a-token", lambda user, name: f"http://127.0.0.1:{port}")
            return await getattr(asked, question)(server or SERVER)

    return asyncio.run(ask()), heard


def ok(content: str) -> str:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n{content}"


@pytest.mark.parametrize(
    ("content", "use"),
    [
        ('{"used": 11, "capacity": 10}', HomeUse(11, 10)),
        *((text, None) for text in ("{}", "[]", "1", "x", '{"used": 1}', '{"used": "a"}')),
    ],
)
def test_a_server_says_how_large_its_home_is(content: str, use: HomeUse | None) -> None:
    said, heard = answered(ok(content), question="home_use")
    assert said == use
    assert heard[0].startswith("GET /user/ada/labswarm/home ")


def test_a_server_is_asked_by_its_own_key_at_its_own_path() -> None:
    idle_s, heard = answered(ok("61"), {"name": "lab-2", "url": "/user/a%28b%29/lab-2/"})

    assert idle_s == 61
    (request,) = heard
    assert request.startswith("GET /user/a%28b%29/lab-2/labswarm/activity HTTP/1.1\r\n")
    assert f"\r\nAuthorization: labswarm {key_of('a-token', 'a(b)', 'lab-2')}\r\n" in request


@pytest.mark.parametrize(
    "answer",
    [
        ok("soon"),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n61",
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        "no HTTP",
    ],
)
def test_another_answer_is_none(answer: str) -> None:
    assert answered(answer)[0] is None


def test_a_server_cannot_be_active_in_the_future() -> None:
    assert answered(ok("-100"))[0] == 0


def test_a_server_has_its_services_name_on_the_hubs_network() -> None:
    assert service_address("ada", "") == "http://jupyter-ada:8888"
    assert service_address("ada", "lab-2") == "http://jupyter-ada--lab-2d2:8888"
    assert owner_of({"url": "/hub/user/b%C3%B6b@x/", "name": None}) == ("böb@x", "")


# The server's half.


@pytest.fixture
def notice(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The extension, as a class image has it."""
    monkeypatch.syspath_prepend(NOTICE.parent)
    spec = importlib.util.spec_from_file_location("labswarm_notice", NOTICE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with importable():
        spec.loader.exec_module(module)
    return module


class Clock:
    """The extension's time."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        return self.now


class Served:
    """A Jupyter Server: its files and events are the real ones, its kernels and terminals twins."""

    def __init__(self, root: Path, notice: ModuleType, clock: Clock) -> None:
        self.kernels: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}
        events = EventLogger()
        events.register_event_schema(Path(DEFAULT_EVENTS_SCHEMA_PATH) / "contents_service/v1.yaml")
        self.contents = AsyncFileContentsManager(root_dir=str(root), event_logger=events)
        app = SimpleNamespace(
            event_logger=events,
            contents_manager=self.contents,
            kernel_manager=SimpleNamespace(
                list_kernel_ids=lambda: list(self.kernels), get_kernel=self.kernels.__getitem__
            ),
            web_app=SimpleNamespace(settings=self.settings),
        )
        self._clock = clock
        self._events = events
        self.activity = notice.Activity(app)

    def idle_s(self) -> float:
        seconds: float = self.activity.idle_s(self._clock.now)
        return seconds

    def work(self, method: str, *args: Any) -> None:
        async def all_of_it() -> None:
            await getattr(self.contents, method)(*args)
            await self._events.gather_listeners()

        asyncio.run(all_of_it())


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(
    tmp_path: Path, notice: ModuleType, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Served:
    monkeypatch.setattr(notice, "time", clock)
    return Served(tmp_path, notice, clock)


def test_at_the_end_of_a_lab_the_culler_hears_that_an_unused_server_is_idle(
    served: Served, clock: Clock, notice: ModuleType, tmp_path: Path
) -> None:
    limits = notice.TimeLimits.of({"LABSWARM_IDLE_TIMEOUT_S": "3600"})
    memory = notice.Memory(None)
    use = notice.HomeUse(tmp_path, None)
    notices = notice.Notices(tmp_path / "notice", memory, tmp_path, served.activity, limits, use)
    clock.now += 100
    body = json.dumps({"kind": "lab", "deadline": int(clock.now) + 300})

    async def notified() -> None:
        notices.take(body.encode(), clock.now)

    asyncio.run(notified())
    assert notices.read(clock.now)["kind"] == "lab"
    assert notices.idle_s(clock.now) == 100
    clock.now += 301
    assert notices.idle_s(clock.now) == 3600
    served.activity.work()
    assert notices.idle_s(clock.now) == 0


def test_a_server_that_has_just_started_is_not_idle(served: Served, clock: Clock) -> None:
    clock.now += 5
    assert served.idle_s() == 5


def test_a_save_counts_and_a_look_at_the_files_does_not(served: Served, clock: Clock) -> None:
    clock.now += 100
    served.work("get", "")
    assert served.idle_s() == 100
    served.work("save", {"type": "file", "format": "text", "content": "x"}, "notes.txt")
    assert served.idle_s() == 0
    clock.now += 40
    served.work("delete", "notes.txt")
    assert served.idle_s() == 0


def test_an_execution_counts_until_it_ends(served: Served, clock: Clock) -> None:
    kernel = SimpleNamespace(execution_state="busy", last_activity=at(0))
    served.kernels["k1"] = kernel
    clock.now += 400
    assert served.idle_s() == 0
    kernel.execution_state, kernel.last_activity = "idle", at(400)
    clock.now += 60
    assert served.idle_s() == 60


def test_a_kernel_that_is_being_started_is_no_error(served: Served, clock: Clock) -> None:
    served.kernels["k1"] = SimpleNamespace(execution_state="starting")
    clock.now += 7
    assert served.idle_s() == 7


def test_the_busiest_kernel_and_a_terminal_count(served: Served, clock: Clock) -> None:
    served.kernels["k1"] = SimpleNamespace(execution_state="idle", last_activity=at(30))
    served.kernels["k2"] = SimpleNamespace(execution_state="idle", last_activity=at(10))
    clock.now += 100
    assert served.idle_s() == 70
    served.settings["terminal_last_activity"] = at(90)
    assert served.idle_s() == 10
