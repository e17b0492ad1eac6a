"""The hub on a real Swarm: students' servers on seats, in line, ended and started again."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from tests.support.student_page import (
    CHROMIUM,
    StudentPage,
    chromium,
    expect,
    notebook,
    source_of,
)

from labswarm.homes import home_name
from labswarm.notices import Notice
from labswarm_emulator.machines import Instance
from labswarm_lab.hub import HubGround, start_hub, wait_healthy
from labswarm_lab.images import hub_image, notebook_image, publish
from labswarm_lab.nodes import machine, network, registry, sweep
from labswarm_lab.nodes.founding import found_swarm
from labswarm_lab.nodes.namespaces import NamespaceMachines
from labswarm_lab.nodes.place import Place
from labswarm_lab.nodes.requirements import missing
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.students import Result, run_class, xsrf_of
from labswarm_node.config import HubConfig
from labswarm_node.docker_swarm import DockerSwarm
from labswarm_node.hub import HubApi
from labswarm_node.notifying import notify

CHECKOUT = Path(__file__).parents[2]
MIB = 2**20
SEAT = {"memory_bytes": 512 * MIB, "nano_cpus": 250_000_000}
OVERHEAD = {"memory_bytes": 448 * MIB, "nano_cpus": 100_000_000}
MANAGER = "i-0000000000000000a"
WORKERS = ("i-0000000000000000b", "i-0000000000000000c")
WORKER_MEMORY = 1600 * MIB  # two seats
HUB_MACHINE = Instance(MANAGER, "t3.large", 4096 * MIB, 2, {"labswarm:role": "hub"})
PATIENCE_S = 60
# As start.sh of docker-stacks does: it prepares, then becomes the words that it was given.
START_HOOK = (
    "import os, sys; os.environ['PREPARED'] = 'by the image'; os.execvp(sys.argv[1], sys.argv[1:])"
)
ADMINS_FILE = """
import os
from pathlib import Path

os.environ["TERM_OF_YEAR"] = "winter"

def before(spawner):
    spawner.environment = spawner.environment | {"HOOKED": "before the start"}

c.Spawner.environment = {"COURSE": "physics", "JUPYTERHUB_ACTIVITY_INTERVAL": "7"}
c.Spawner.env_keep = ["TERM_OF_YEAR"]
c.Spawner.args = ["--ServerApp.terminals_enabled=False"]
c.Spawner.default_url = "/lab/tree/welcome.ipynb"
c.DockerSpawner.notebook_dir = "/home/jovyan"
c.Spawner.debug = True
c.Spawner.disable_user_config = True
c.Spawner.pre_spawn_hook = before
c.Spawner.post_stop_hook = lambda spawner: Path(
    "/srv/labswarm/stopped").write_text(spawner.user.name)
"""
"""Options of an admin that have an effect on a server."""
ENVIRONMENT_OF_SERVER = """
import json, os
from pathlib import Path

for process in Path("/proc").glob("[0-9]*"):
    if int(process.name) not in (1, os.getpid()):
        if b"terminals_enabled=False" in process.joinpath("cmdline").read_bytes():
            lines = process.joinpath("environ").read_bytes().decode().split("\\0")
            print(json.dumps(dict(line.split("=", 1) for line in lines if line)))
            break
"""

_LACKING: Sequence[object] = missing() or [
    part
    for part in (CHECKOUT / ".class/bin/python", CHECKOUT / "hub/proxy/node_modules")
    if not part.exists()
]

pytestmark = [
    pytest.mark.swarm,
    pytest.mark.skipif(bool(_LACKING), reason=f"no real Swarm here: {_LACKING}"),
]


@dataclass
class Hub:
    """A running hub, and the Swarm under it."""

    ground: HubGround
    engine: docker.DockerClient
    place: Place
    machines: NamespaceMachines

    def replace_machine(self, folder: Path) -> None:
        """Cut the power of the hub's machine, and boot another one with its data volume.

        As on EC2, the volume has the Swarm's state and the hub's own folder, and the address is the
        same. `folder` keeps the first meanwhile.
        """
        swarm = self.place.node_dir(MANAGER) / "docker/swarm"
        machine.kill(self.place, MANAGER)
        shutil.copytree(swarm, folder / "swarm")
        self.machines.terminate(MANAGER)
        shutil.copytree(folder / "swarm", swarm)
        self.machines.boot(HUB_MACHINE)

    def containers(self) -> dict[str, str]:
        """The container of each student's server, by student."""
        found = {}
        for worker in WORKERS:
            with closing(client(self.place, worker)) as engine:
                for container in engine.containers.list(filters={"label": "labswarm.user"}):
                    found[container.labels["labswarm.user"]] = str(container.id)
        return found

    def call(self, method: str, path: str) -> Any:
        """A call of the hub's API with labswarm-manager's token; the status and the answer."""
        answer = requests.request(
            method,
            f"{self.ground.api_url}{path}",
            headers={"Authorization": f"token {self.ground.token_file.read_text()}"},
            timeout=10,
        )
        return answer.status_code, answer.json() if answer.content else None

    def servers(self, user: str) -> dict[str, Any]:
        """The user's servers as the hub sees them, by name."""
        found: dict[str, Any] = self.call("GET", f"/users/{user}")[1]["servers"]
        return found

    def running(self) -> dict[str, str]:
        """Node id by user, of the servers whose task runs."""
        return {
            task["Spec"]["ContainerSpec"]["Labels"]["labswarm.user"]: task["NodeID"]
            for task in self.tasks()
            if task["Status"]["State"] == "running" and task["DesiredState"] == "running"
        }

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks of all students' servers."""
        api: Any = self.engine.api
        found: list[dict[str, Any]] = api.tasks(filters={"label": "labswarm.user"})
        return found

    def services(self) -> set[str]:
        """The names of the students' services."""
        api: Any = self.engine.api
        return {service["Spec"]["Name"] for service in api.services({"label": "labswarm.user"})}

    def in_container(self, user: str, *command: str) -> str:
        """The output of a command in the container of the user's server."""
        for worker in WORKERS:
            with closing(client(self.place, worker)) as engine:
                for container in engine.containers.list(filters={"label": f"labswarm.user={user}"}):
                    output = container.exec_run(list(command)).output
                    assert isinstance(output, bytes)  # not a stream
                    return output.decode()
        raise AssertionError(f"{user} has no container")

    def browser(self, user: str) -> requests.Session:
        """A browser in which the user has logged in."""
        session = requests.Session()
        login = f"{self.ground.url}/hub/login"
        form = {"username": user, "password": "", "_xsrf": xsrf_of(session.get(login).text)}
        session.post(login, form, timeout=10).raise_for_status()
        return session

    def attend(self, count: int) -> list[Result]:
        """A class of that many students; everyone's result."""

        async def results() -> list[Result]:
            events = run_class(self.ground.url, count, spawn_timeout_s=PATIENCE_S)
            return [event async for event in events if isinstance(event, Result)]

        return asyncio.run(results())


def eventually(condition: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Wait until the condition holds; fails with the last value seen."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s; last seen: {seen()}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on a Swarm of a manager and two workers with two seats each."""
    root = tmp_path_factory.mktemp("hub")
    root.chmod(0o755)
    place = Place(f"hub{os.getpid() % 10**6}", root / "state")
    subnet = network.raise_bridge(place)
    settings = NodesSettings(
        place, subnet, "lab", "eu-west-1", "http://127.0.0.1:9", "none", "http://127.0.0.1:9", None
    )
    machines = NamespaceMachines(settings)
    try:
        settings.write()
        at = registry.start(settings)
        boot = [HUB_MACHINE]
        boot += [Instance(worker, "t3.medium", WORKER_MEMORY, 2, {}) for worker in WORKERS]
        with ThreadPoolExecutor() as pool:
            list(pool.map(machines.boot, boot))
        secret = found_swarm(settings, MANAGER)
        for worker in WORKERS:
            with closing(client(place, worker)) as engine:
                engine.swarm.join([secret.manager], secret.token)
        with closing(client(place, MANAGER)) as engine:
            ground = HubGround(
                cluster="lab",
                checkout=CHECKOUT,
                class_env=CHECKOUT / ".class",
                state=root / "hub",
                homes=place.homes,
                docker_socket=place.docker_socket(MANAGER),
                address=settings.manager_address,
                hub_image=publish(engine, hub_image(), f"{at}/labswarm/hub"),
                notebook_image=published_with_start_hook(engine, f"{at}/labswarm/notebook"),
                seat=SEAT,
                overhead=OVERHEAD,
            )
            (ground.state / "conf.d").mkdir(parents=True)
            (ground.state / "conf.d/admin.py").write_text(ADMINS_FILE)
            wait_healthy(start_hub(engine, ground), PATIENCE_S)
            yield Hub(ground, engine, place, machines)
    finally:
        for instance_id in (*WORKERS, MANAGER):
            machines.terminate(instance_id)
        sweep.clear(place)


def published_with_start_hook(engine: docker.DockerClient, name: str) -> str:
    """The lab's class image with an ENTRYPOINT, published; its name by digest."""
    entrypoint = f"ENTRYPOINT {json.dumps(['/usr/bin/python3', '-c', START_HOOK])}"
    engine.api.import_image_from_data(
        notebook_image(), repository=name, tag="hooked", changes=[entrypoint]
    )
    for line in engine.images.push(name, tag="hooked", stream=True, decode=True):
        if digest := line.get("aux", {}).get("Digest"):
            return f"{name}@{digest}"
    raise AssertionError("the registry gave no digest")


@pytest.fixture
def empty_hub(hub: Hub) -> Hub:
    """The hub without any server."""
    for user in hub.call("GET", "/users")[1]:
        for name in user["servers"]:
            path = f"servers/{name}" if name else "server"
            hub.call("DELETE", f"/users/{user['name']}/{path}")
    eventually(lambda: not hub.services(), hub.services)
    return hub


def client(place: Place, instance_id: str) -> docker.DockerClient:
    """The Docker Engine of a machine."""
    return docker.DockerClient(f"unix://{place.docker_socket(instance_id)}", version="auto")


def test_a_class_is_packed_on_workers_and_its_files_are_in_their_homes(empty_hub: Hub) -> None:
    results = empty_hub.attend(2)
    assert all(result.ok for result in results), results
    assert len(set(empty_hub.running().values())) == 1, "two servers fit on one node"
    for result in results:
        home = empty_hub.ground.homes / home_name(result.student)
        assert (home / str(result.file)).read_text() == f"Saved by {result.student}.\n"
        assert home.stat().st_mode & 0o777 == 0o700
        assert not list(home.rglob("*.sqlite*")), "SQLite stays off the shared folder"


def test_an_admins_options_and_the_images_start_hook_have_their_effect(empty_hub: Hub) -> None:
    empty_hub.attend(1)
    environment = json.loads(
        empty_hub.in_container("student-01", "/usr/bin/python3", "-c", ENVIRONMENT_OF_SERVER)
    )
    wanted = {
        "PREPARED": "by the image",
        "COURSE": "physics",
        "HOOKED": "before the start",
        "TERM_OF_YEAR": "winter",
        "JUPYTERHUB_ACTIVITY_INTERVAL": "7",
        "JUPYTERHUB_DEFAULT_URL": "/lab/tree/welcome.ipynb",
        "JUPYTERHUB_ROOT_DIR": "/home/jovyan",
        "JUPYTERHUB_DEBUG": "1",
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    }
    assert {name: environment.get(name) for name in wanted} == wanted
    empty_hub.call("DELETE", "/users/student-01/server")
    stopped = empty_hub.ground.state / "stopped"
    eventually(stopped.exists, lambda: sorted(stopped.parent.iterdir()))
    assert stopped.read_text() == "student-01"


def test_a_student_without_a_seat_waits_and_gets_the_next_free_one(empty_hub: Hub) -> None:
    empty_hub.attend(4)
    with ThreadPoolExecutor() as pool:
        late = pool.submit(empty_hub.attend, 5)
        eventually(
            lambda: "jupyter-student-2d05" in empty_hub.services(),
            empty_hub.services,
        )
        assert "student-05" not in empty_hub.running()
        empty_hub.call("DELETE", "/users/student-01/server")
        results = {result.student: result for result in late.result()}
    assert results["student-05"].ok, results["student-05"]
    assert len(empty_hub.running()) == 4


def test_a_start_that_fails_leaves_no_service(empty_hub: Hub) -> None:
    empty_hub.attend(1)
    empty_hub.call("DELETE", "/users/student-01/server")
    home = empty_hub.ground.homes / home_name("student-01")
    home.rename(home.with_suffix(".away"))
    home.touch()
    try:
        (result,) = empty_hub.attend(1)
    finally:
        home.unlink()
        home.with_suffix(".away").rename(home)
    assert result.failed_step == "spawn"
    eventually(lambda: not empty_hub.services(), empty_hub.services)


def test_a_server_that_dies_is_seen_to_have_stopped_and_starts_again(empty_hub: Hub) -> None:
    assert all(result.ok for result in empty_hub.attend(1))
    (node_id,) = empty_hub.running().values()
    api: Any = empty_hub.engine.api
    node = api.inspect_node(node_id)
    api.update_node(node_id, node["Version"]["Index"], node["Spec"] | {"Availability": "drain"})
    try:
        eventually(
            lambda: not empty_hub.servers("student-01"), lambda: empty_hub.servers("student-01")
        )
        assert not empty_hub.services(), "nothing restarts it behind the hub's back"
        assert all(result.ok for result in empty_hub.attend(1))
        assert empty_hub.running()["student-01"] != node_id
    finally:
        node = api.inspect_node(node_id)
        api.update_node(
            node_id, node["Version"]["Index"], node["Spec"] | {"Availability": "active"}
        )


def test_a_server_that_is_stopped_ends_by_itself(empty_hub: Hub) -> None:
    assert all(result.ok for result in empty_hub.attend(1))
    begun = time.time()
    empty_hub.call("DELETE", "/users/student-01/server")
    eventually(lambda: not empty_hub.services(), empty_hub.services)
    seen = []
    for worker in WORKERS:
        with closing(client(empty_hub.place, worker)) as engine:
            filters = {"type": "container", "label": "labswarm.user=student-01"}
            until = time.time()
            events = engine.events(begun, until, decode=True, filters=filters)  # type: ignore[call-overload]  # seconds may be fractions
            seen += [(e["Action"], e["Actor"]["Attributes"].get("exitCode")) for e in events]
    assert ("die", "0") in seen, seen
    assert "kill" not in {action for action, _ in seen}


def test_a_server_that_has_outlived_its_hub_finds_the_new_one(empty_hub: Hub) -> None:
    assert all(result.ok for result in empty_hub.attend(1))
    where = empty_hub.running()
    with closing(client(empty_hub.place, MANAGER)) as engine:
        (container,) = engine.containers.list(filters={"label": "labswarm-hub=true"})
        container.kill()
        # Not the old one's last answer.
        eventually(
            lambda: container.id not in {found.id for found in engine.containers.list()},
            lambda: "the hub's container still runs",
        )
    wait_healthy(empty_hub.ground.url, PATIENCE_S)
    # Browsers that the server does not know: it asks the hub, whose address aiohttp keeps for 10 s.
    again: list[Result] = []

    def is_found() -> bool:
        again[:] = empty_hub.attend(1)
        return again[0].ok

    eventually(is_found, lambda: again)
    assert empty_hub.running() == where, "it is the same server"


@pytest.mark.deep
@pytest.mark.skipif(CHROMIUM is None, reason="browser skipped: there is no chromium")
def test_a_hub_whose_machine_is_replaced_adopts_servers_whose_pages_and_kernels_go_on(
    empty_hub: Hub, tmp_path: Path
) -> None:
    assert all(result.ok for result in empty_hub.attend(2))
    url, saved = empty_hub.ground.url, empty_hub.ground.homes / home_name("ada") / "work.ipynb"
    with chromium() as browser:
        ada = StudentPage(browser, url, "ada")
        ada.log_in()
        ada.save("work.ipynb", notebook("kept = 41", "print(kept + 1)"))
        ada.open("work.ipynb")
        idle = ada.page.get_by_role("button", name="Python 3 (ipykernel) | Idle")
        expect(idle).to_be_visible(timeout=60_000)
        ada.type_in_cell(" ")
        ada.page.keyboard.press("Control+Enter")
        expect(ada.page.locator(".jp-InputPrompt").first).to_have_text("[1]:", timeout=60_000)
        before = empty_hub.containers()
        assert set(before) == {"ada", "student-01", "student-02"}

        ada.type_in_cell("# typed before", number=1)
        begun = time.monotonic()
        empty_hub.replace_machine(tmp_path)
        booted_s = time.monotonic() - begun
        wait_healthy(url, PATIENCE_S)
        healthy_s = time.monotonic() - begun
        # While nothing answers, the page may hold everything under its overlay.
        expect(ada.page.locator(".labswarm-overlay")).to_be_hidden(timeout=PATIENCE_S * 1000)
        ada.type_in_cell(" and after", number=1)
        ada.page.keyboard.press("Control+s")
        eventually(
            lambda: source_of(saved, 1).endswith("# typed before and after"),
            lambda: (saved.read_text(), ada.dialogs(), ada.texts("overlay")),
        )
        saved_s = time.monotonic() - begun
        print(f"booted after {booted_s:.1f} s, healthy {healthy_s:.1f} s, saved {saved_s:.1f} s")

        assert empty_hub.containers() == before, "no server was started again"
        ada.page.keyboard.press("Control+Enter")
        output = ada.page.locator(".jp-OutputArea-output").last
        expect(output).to_have_text("42", timeout=60_000)
        assert ada.dialogs() == []
        ada.close()
    assert all(empty_hub.servers(user) for user in before)


def test_labswarm_managers_token_is_good_for_servers_only(hub: Hub) -> None:
    assert hub.call("GET", "/users")[0] == 200
    assert hub.call("POST", "/users/eve")[0] == 403
    assert hub.call("GET", "/proxy")[0] == 403


def test_each_student_on_a_leaving_node_reads_a_notice_of_their_own(empty_hub: Hub) -> None:
    assert all(result.ok for result in empty_hub.attend(2))
    ground = empty_hub.ground
    swarm = DockerSwarm(f"unix://{ground.docker_socket}")
    api = HubApi(HubConfig(ground.api_url, ground.token_file, ground.url))
    deadline = int(time.time()) + 80
    answers = [
        notify(swarm, api, worker, Notice("interruption", deadline)) for worker in sorted(WORKERS)
    ]
    services = ["jupyter-student-2d01", "jupyter-student-2d02"]
    assert {"notified": services, "failed": {}} in answers, "they are packed on one node"

    browsers = {user: empty_hub.browser(user) for user in ("student-01", "student-02")}
    for user, browser in browsers.items():
        for owner in browsers:
            server = f"{ground.url}/user/{owner}"
            page = browser.get(f"{server}/lab", timeout=10)
            answer = browser.get(f"{server}/labswarm/notice", timeout=10)
            assert (page.status_code, answer.status_code) == (
                (200,) * 2 if owner == user else (403,) * 2
            )
            if owner == user:
                seen = answer.json()["notice"]
                assert (seen["kind"], seen["deadline"]) == ("interruption", deadline)
                assert seen["message"].endswith(".")
        file = "/tmp/jupyter-runtime/labswarm-notice.json"  # noqa: S108  # the container's own
        assert empty_hub.in_container(user, "/usr/bin/stat", "-c", "%a %u", file) == "600 1000\n"
        environment = empty_hub.in_container(user, "/usr/bin/env")
        assert ground.token_file.read_text().strip() not in environment
        assert not list((ground.homes / home_name(user)).rglob("*notice*")), "not on the homes"
