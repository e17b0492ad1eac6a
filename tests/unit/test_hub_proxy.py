"""The hub's side of the proxy: a new one gets its routes within seconds, the hub's as the last."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.class_environment import PACKAGES, importable

if not PACKAGES.exists():
    pytest.skip("the class environment is not installed", allow_module_level=True)
with importable():
    from tornado.ioloop import PeriodicCallback

    from labswarm_hub import proxy as module
    from labswarm_hub.proxy import SeparateProxy

HUB = SimpleNamespace(routespec="/hub/", host="http://hub:8081")


def spawner(user: str) -> Any:
    server = SimpleNamespace(host=f"http://{user}:8888")
    return SimpleNamespace(
        name="", ready=True, pending=None, active=True, server=server, proxy_spec=f"/user/{user}/"
    )


def student(name: str) -> Any:
    running = spawner(name)
    return SimpleNamespace(name=name, spawners={"": running}, proxy_spec=running.proxy_spec)


class MemoryProxy(SeparateProxy):
    """A proxy whose routes are in memory; `added` has the order."""

    def __init__(self) -> None:
        students = {number: student(name) for number, name in enumerate(("ada", "bob"))}
        app = SimpleNamespace(hub=HUB, users=students, _service_map={})
        super().__init__(app=app, hub=HUB)
        self.routes: dict[str, Any] = {}
        self.added: list[str] = []
        self.looks = 0

    async def get_all_routes(self) -> dict[str, Any]:
        self.looks += 1
        return dict(self.routes)

    async def add_route(self, routespec: str, target: str, data: Any) -> None:
        self.added.append(routespec)
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec: str) -> None:
        del self.routes[routespec]

    def lose_routes(self) -> None:
        """A new proxy has none."""
        self.routes, self.added = {}, []


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look comes 200 times as soon."""
    monkeypatch.setattr(module, "PeriodicCallback", lambda act, ms: PeriodicCallback(act, ms / 200))


ALL = ["/user/ada/", "/user/bob/", "/hub/"]


async def until(met: Any) -> None:
    async with asyncio.timeout(20):
        while not met():
            await asyncio.sleep(0.005)


def test_a_new_proxy_gets_all_routes_by_itself_and_the_hubs_comes_last(quick: None) -> None:
    async def scenario() -> list[list[str]]:
        proxy = MemoryProxy()
        await proxy.start()
        await until(lambda: "/hub/" in proxy.routes)
        first = list(proxy.added)
        proxy.lose_routes()
        await until(lambda: "/hub/" in proxy.routes)
        again = list(proxy.added)
        proxy.stop()
        return [sorted(first[:2]) + first[2:], sorted(again[:2]) + again[2:]]

    assert asyncio.run(scenario()) == [ALL, ALL]


def test_a_hub_that_stops_looks_no_more_and_leaves_the_routes(quick: None) -> None:
    async def scenario() -> None:
        proxy = MemoryProxy()
        await proxy.start()
        await until(lambda: "/hub/" in proxy.routes)
        proxy.stop()
        looks = proxy.looks
        await asyncio.sleep(0.05)
        assert proxy.looks <= looks + 1
        assert sorted(proxy.routes) == sorted(ALL)

    asyncio.run(scenario())


def test_a_proxy_is_looked_at_every_two_seconds() -> None:
    assert MemoryProxy().check_running_interval == 2


def test_a_proxy_that_has_its_routes_is_left_alone_between_jupyterhubs_own_looks() -> None:
    async def scenario() -> list[str]:
        proxy = MemoryProxy()
        await proxy.check_running()
        proxy.added = []
        await proxy.check_running()
        return proxy.added

    assert asyncio.run(scenario()) == []


def test_jupyterhubs_own_look_at_a_new_proxy_adds_all_routes() -> None:
    async def scenario() -> list[str]:
        proxy = MemoryProxy()
        await proxy.check_routes(proxy.app.users, {}, None)
        return proxy.added

    added = asyncio.run(scenario())
    assert sorted(added[:2]) + added[2:] == ALL


def test_jupyterhubs_own_look_at_a_known_proxy_adds_a_missing_route_and_removes_a_stale_one() -> (
    None
):
    async def scenario() -> list[str]:
        proxy = MemoryProxy()
        await proxy.restore_routes()
        del proxy.routes["/user/ada/"]
        stale = {"user": "gone", "server_name": ""}
        proxy.routes["/user/gone/"] = {"routespec": "/user/gone/", "target": "x", "data": stale}
        await proxy.check_routes(proxy.app.users, {}, None)
        return sorted(proxy.routes)

    assert asyncio.run(scenario()) == sorted(ALL)
