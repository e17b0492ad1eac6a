"""A worker that is forked is like one that is started by itself, except for its shared memory."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.running_emulator import eventually

from labswarm_emulator.functions.processes import Process, Processes

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only"),
]

SAYS_HOW_IT_IS = """
import json, locale, os, random, signal, sys, threading, time
print(json.dumps({
    "environment": dict(os.environ),
    "sys.path": sys.path,
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "main": sys.modules["__main__"].__name__,
    "handler's module": __file__,
    "leads": os.getpgid(0) == os.getpid(),
    "zone": time.strftime("%z", time.localtime(0)),
    "locale": locale.getlocale(),
    "encoding": sys.stdout.encoding,
    "signals": [str(signal.getsignal(n)) for n in (signal.SIGCHLD, signal.SIGTERM)],
    "wakes": signal.set_wakeup_fd(-1),
    "threads": threading.active_count(),
    "input": os.read(0, 1).decode(),
    "files": sorted(os.readlink(f"/proc/self/fd/{n}").partition(":")[0]
                    for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")),
}), flush=True)
print("pid", os.getpid(), os.getppid(), random.random(), "boto3" in sys.modules, flush=True)
time.sleep(600)
"""


class Workers:
    """Workers of a folder's `app.py`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sources = {True: Processes(), False: Processes(forks=False)}
        self._started: list[Process] = []

    def start(self, source: str, *, forked: bool = True, **environment: str) -> Process:
        (self.folder / "app.py").write_text(source)
        given = {
            **{"PATH": os.environ["PATH"], "LANG": "en_US.UTF-8", "TZ": "Asia/Tokyo"},
            "PYTHONPATH": f"{self.folder}{os.pathsep}{self.folder}/layer",
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
            **environment,
        }
        process = self._sources[forked].start(
            sys.executable, "app.handler", self.folder, given, self.log
        )
        self._started.append(process)
        return process

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def said(self, count: int) -> list[str]:
        """The lines of the log, once there are so many; they are taken off it."""

        def look() -> list[str]:
            lines = self.log.read_text().splitlines(keepends=True)
            return lines if len(lines) >= count and lines[-1].endswith("\n") else []

        lines: list[str] = eventually(look, within_s=60)
        self.log.write_text("")
        return lines

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()
            process.let_go()
        for source in self._sources.values():
            source.close()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    folder = tmp_path / "code"
    folder.mkdir()
    workers = Workers(folder)
    yield workers
    workers.close()


def test_a_forked_worker_is_as_one_that_is_started_by_itself(workers: Workers) -> None:
    seen: list[dict[str, Any]] = []
    for fork in (False, True):
        workers.start(SAYS_HOW_IT_IS, forked=fork, ANSWER="42")
        seen.append(json.loads(workers.said(2)[0]))
    started, forked = seen

    assert started["environment"]["ANSWER"] == "42"
    assert started["leads"]
    assert forked == started


def test_forked_workers_share_the_sdk_and_nothing_else(workers: Workers) -> None:
    first = workers.start(SAYS_HOW_IT_IS, ANSWER="1")
    one = workers.said(2)
    second = workers.start(SAYS_HOW_IT_IS, ANSWER="2")
    other = workers.said(2)

    (_, pid, parent, chance, shares), (_, pid2, parent2, chance2, _) = (
        lines[1].split() for lines in (one, other)
    )
    assert (int(pid), int(pid2)) == (first.pid, second.pid)
    assert parent == parent2 != str(os.getpid())
    assert shares == "True"
    assert chance != chance2
    answers = [json.loads(lines[0])["environment"]["ANSWER"] for lines in (one, other)]
    assert answers == ["1", "2"]


def test_variables_read_at_the_start_are_the_functions_own(workers: Workers) -> None:
    source = "import sys, time\nprint(sys.flags.optimize, flush=True)\ntime.sleep(600)\n"
    workers.start(source)
    assert workers.said(1) == ["0\n"]
    workers.start(source, PYTHONOPTIMIZE="2")
    assert workers.said(1) == ["2\n"]


def test_a_function_has_the_sdk_of_its_own_code_or_layer(workers: Workers) -> None:
    source = "import boto3, time\nprint(boto3.OWN, flush=True)\ntime.sleep(600)\n"
    (workers.folder / "layer").mkdir()
    (workers.folder / "layer/boto3.py").write_text("OWN = 'the layer'")
    workers.start(source)
    assert workers.said(1) == ["the layer\n"]
    (workers.folder / "boto3.py").write_text("OWN = 'the code'")
    workers.start(source)
    assert workers.said(1) == ["the code\n"]


@pytest.mark.parametrize("forked", [True, False])
@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import os\nos._exit(3)\n", 3),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n", -signal.SIGTERM),
        ("import sys\nsys.stdout.flush()\nraise SystemExit(4)\n", 4),
        ("raise KeyboardInterrupt\n", 1),
    ],
)
def test_the_end_of_a_worker_is_reported(
    workers: Workers, source: str, status: int, forked: bool
) -> None:
    process = workers.start(source, forked=forked)
    assert process.wait() in (status, *([-signal.SIGINT] if "Keyboard" in source else []))
    assert process.poll() is not None


def test_without_their_server_workers_end_and_the_next_has_another(workers: Workers) -> None:
    process = workers.start(SAYS_HOW_IT_IS)
    server = int(workers.said(2)[1].split()[2])

    os.kill(server, signal.SIGKILL)

    assert process.wait() == -signal.SIGKILL
    workers.start(SAYS_HOW_IT_IS)
    assert int(workers.said(2)[1].split()[2]) != server
