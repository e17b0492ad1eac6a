"""Listing the hub's servers: answers of another shape, and a list that takes too long."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from labswarm.errors import Permanent, Transient
from labswarm_node.config import HubConfig
from labswarm_node.hub import HubApi

READY = {"pending": None, "ready": True}
PAGES = 100


def page(*users: Any, more: Any = None) -> dict[str, Any]:
    return {"items": users, "_pagination": {"next": more}}


@contextmanager
def hub(directory: Path, *pages: Any, after_s: float = 0.0) -> Iterator[HubApi]:
    """A hub that answers with each of these pages, `after_s` after it was asked."""
    left = list(pages)

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(after_s)
            content = json.dumps(left.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    (directory / "token").write_text("a-token")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield HubApi(HubConfig(f"{address}/hub/api", directory / "token", address))
        server.shutdown()


def test_the_servers_of_all_pages_are_listed(tmp_path: Path) -> None:
    ada = {"name": "ada", "servers": {"": READY, "gone": {"pending": None, "ready": False}}}
    bob = {"name": "bob", "servers": {"two": {"pending": "spawn", "ready": False}}}
    with hub(tmp_path, page(ada, more={"offset": 1}), page(bob)) as api:
        assert api.servers() == {("ada", ""), ("bob", "two")}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="an object with nothing in it"),
        pytest.param({"items": 7, "_pagination": {"next": None}}, id="no items"),
        pytest.param({"items": [], "_pagination": None}, id="no pagination"),
        pytest.param(page(more={}), id="no offset"),
        pytest.param(page(more={"offset": "next"}), id="an offset that is no number"),
        pytest.param(page("ada"), id="users that are no objects"),
        pytest.param(page({"servers": {"": READY}}), id="a user without a name"),
        pytest.param(page({"name": [], "servers": {"": READY}}), id="a name that is none"),
        pytest.param(page({"name": "ada", "servers": ["", "two"]}), id="servers without names"),
        pytest.param(page({"name": "ada", "servers": {"": {}}}), id="a server without a state"),
    ],
)
def test_an_answer_of_another_shape_is_permanent(tmp_path: Path, answer: object) -> None:
    with hub(tmp_path, answer) as api, pytest.raises(Permanent, match="the hub"):
        api.servers()


def test_all_pages_have_one_time_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that answers each page in time, and has many of them."""
    monkeypatch.setattr("labswarm_node.hub._LISTED_WITHIN_S", 0.2)
    pages = [page(more={"offset": n}) for n in range(1, PAGES)]
    with hub(tmp_path, *pages, page(), after_s=0.02) as api, pytest.raises(Transient):
        api.servers()
