"""A copy of the repository, to change a file in and look whether a test notices."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 240
"""A change that keeps its tests busy for longer counts as noticed: it hangs."""
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
        for name in (".venv", ".infra"):
            if (ROOT / name).exists():
                (root / name).symlink_to(ROOT / name)
        self._path = [str(path) for path in (root, *(root / name for name in _OWN))]
        self._sound: set[str] = set()
        self._unsound: set[str] = set()
        for library in ("boto3", "moto", "hypothesis", "pytest", "yaml", "cryptography.x509"):
            __import__(library)

    @contextmanager
    def changed(self, path: str, text: str) -> Iterator[None]:
        """Have a file with this text for a while."""
        file = self.root / path
        before = file.read_text()
        file.write_text(text)
        try:
            yield
        finally:
            file.write_text(before)

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

    def run_tests(self, tests: Sequence[str]) -> str | None:
        """The first test that fails, or how the run ended otherwise; None if all pass."""
        options = ["-x", "-q", "-m", "not deep and not swarm", "-p", "no:cacheprovider"]
        options += [f"--deselect={test}" for test in self._unsound]

        def run() -> int:
            import pytest

            return int(pytest.main([*options, *tests]))

        code, printed = self.run(run)
        # 5: no test was selected.
        if code in (0, 5):
            return None
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", printed, re.MULTILINE)
        return failed[0] if failed else f"exit {code}" if code is not None else "it hangs"

    def run(self, act: Callable[[], int]) -> tuple[int | None, str]:
        """Run something in the copy: its exit code (None when it hangs), and what it printed."""
        log = self.root / "run.log"
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            signal.alarm(LIMIT_S)
            os.chdir(self.root)
            sys.path[:0] = self._path
            os.environ["PYTHONPATH"] = ":".join(self._path)
            sys.dont_write_bytecode = True
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
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        code = None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return code, log.read_text(errors="replace")
