"""A copy of the repository, to change a file in and look whether a test notices."""

import contextlib
import importlib
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 240
"""A change that keeps its tests busy for longer counts as noticed: it hangs. So many seconds of a
processor, and eight times as many in all: a busy machine is slow."""
_OWN = ("layers/labswarm", "node", "hub", "operator", "emulator", "lab")


class Tree:
    """A copy in `root` whose Python finds its own packages first.

    Each run is a fork of this process, in which the libraries are imported already.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        files = subprocess.run(
            ["git", "ls-files", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        for name in filter(None, files):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
        for name in (".venv", ".class", ".infra"):
            if (ROOT / name).exists():
                (root / name).symlink_to(ROOT / name)
        self._path = [str(path) for path in (root, *(root / name for name in _OWN))]
        self._sound: set[str] = set()
        self._unsound: set[str] = set()
        self.import_libraries(
            ("boto3", "moto", "hypothesis", "pytest", "yaml", "cryptography.x509")
        )

    def import_libraries(self, names: Iterable[str]) -> None:
        """Import libraries once for all runs."""
        for name in names:
            # Some are there on one platform only, or refuse a second import.
            with contextlib.suppress(Exception):
                importlib.import_module(name)

    @contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        """Have a file with this text for a while."""
        file = self.root / path
        before, stat = file.read_text(), file.stat()
        file.write_text(text)
        try:
            yield
        finally:
            file.write_text(before)
            # Python compiles it again when its time is another one.
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def failing(self, path: str, text: str, tests: Sequence[str]) -> str | None:
        """The first test that fails with the changed file and passes without; None if none does."""
        while True:
            with self.changed(path, text):
                failed = self.run_tests(tests)
            if failed is None or self._is_sound(failed):
                return failed

    def _is_sound(self, test: str) -> bool:
        """Whether a test passes without the change; one that does not is left out from now on."""
        if "::" not in test or test in self._sound:
            return True
        (self._unsound if self.run_tests([test]) else self._sound).add(test)
        return test in self._sound

    def run_tests(
        self,
        tests: Sequence[str],
        plugins: Sequence[Any] = (),
        limit_s: float = LIMIT_S,
    ) -> str | None:
        """The first test that fails, or how the run ended otherwise; None if all pass."""
        given = ["-x", "-q", "-m", "not deep and not swarm", "--tb=no"]
        given += [f"--deselect={test}" for test in self._unsound]

        def run() -> int:
            import hypothesis
            import pytest

            # Without the search for the smallest example: any failure is enough.
            phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
            hypothesis.settings.register_profile("any", phases=phases)
            hypothesis.settings.load_profile("any")
            return int(pytest.main([*given, *tests], list(plugins)))

        code, printed = self.run(run, limit_s)
        # 5: no test was selected.
        if code in (0, 5):
            return None
        failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", printed, re.MULTILINE)
        return failed[0] if failed else f"exit {code}" if code is not None else "it hangs"

    def run(
        self, act: Callable[[], int], limit_s: float = LIMIT_S, *, compiled: bool = False
    ) -> tuple[int | None, str]:
        """Run something in the copy: its exit code (None when it hangs), and its output.

        With `compiled` Python keeps its bytecode in the copy, which makes later runs quicker.
        """
        log = self.root / "run.log"
        child = os.fork()
        if child == 0:
            sys.dont_write_bytecode = not compiled
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit_s),) * 2)
            self._be_a_child(act, log)
        # pytest's own limit uses the child's only alarm.
        limit = threading.Timer(8 * limit_s, _kill, [child])
        limit.start()
        _, status = os.waitpid(child, 0)
        limit.cancel()
        limit.join()
        _kill(child)
        code = None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return code, log.read_text(errors="replace")

    def _be_a_child(self, act: Callable[[], int], log: Path) -> None:
        os.setpgid(0, 0)
        os.chdir(self.root)
        sys.path[:0] = self._path
        os.environ["PYTHONPATH"] = ":".join(self._path)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        # Import the copy's own packages, not the ones that this program has come from.
        for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
            del sys.modules[name]
        with log.open("w") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        ended = 1
        try:
            ended = act()
        except BaseException:  # noqa: BLE001  # the exit code and the log tell of it
            traceback.print_exc()
        finally:
            # An error that went further would take the copy away, which is the parent's.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(ended)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
