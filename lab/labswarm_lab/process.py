"""One process that outlives the command that started it, found again by its pid file."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_POLL_S = 0.02
_PROC = Path("/proc")


class DetachedProcess:
    """The process of `command`, whose pid is in `pid_file` and whose output is in `log`.

    `mark` is a part of its command line that no other process has: a pid can have been given to
    another process since the file was written.
    """

    def __init__(self, command: Sequence[str], pid_file: Path, log: Path, mark: str) -> None:
        self._command = list(command)
        self._pid_file = pid_file
        self._log = log
        self._mark = mark
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its pid while it runs, else None."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self._mark in _command_line(pid) else None

    def start(self) -> int:
        """Start it, in a session of its own; returns the pid."""
        if self._child is not None:
            self._child.wait()  # it was killed, and is not to stay a zombie
        with self._log.open("ab") as log:
            # The process writes its own pid before anything else, so that not even a command
            # killed right now leaves a process that nobody can find.
            script = 'echo $$ >"$0" && exec "$@"'
            self._child = subprocess.Popen(
                ["/bin/sh", "-c", script, str(self._pid_file), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._child.pid

    def ended(self) -> bool:
        """Whether the process started by this object has ended."""
        return self._child is not None and self._child.poll() is not None

    def stop(self, grace_s: float = 5) -> None:
        """End it: asked to first, and killed after `grace_s`; none running is no error."""
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
            pid = self.pid
            if pid is None:
                break
            with suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, number)
            _await_end(pid, patience_s)
        self._pid_file.unlink(missing_ok=True)
        if self._child is not None:
            self._child.wait(grace_s)  # a child of this very process would stay a zombie
            self._child = None

    def last_words(self) -> str:
        """The last line it logged."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing was logged"


def _await_end(pid: int, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not _has_ended(pid) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _has_ended(pid: int) -> bool:
    """Whether a process is over, and so holds no port; true of a zombie as well."""
    if not _PROC.exists():
        return _listed(pid, "stat").strip()[:1] in ("", "Z")
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def _command_line(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    if not _PROC.exists():
        return _listed(pid, "command")
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace")


def _listed(pid: int, field: str) -> str:
    """A field of `ps`, for systems without /proc."""
    command = ["ps", "-o", f"{field}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
