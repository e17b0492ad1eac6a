"""Students' saves: the allowed content of each file, by the server's confirmations."""

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


def digest(content: bytes) -> str:
    """The hash that stands for a content in comparisons."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Try:
    """One save, begun `at` (epoch seconds); `confirmed_at` is when the server confirmed it, or
    None."""

    digest: str
    at: float
    confirmed_at: float | None = None

    def __str__(self) -> str:
        said = "never confirmed" if self.confirmed_at is None else f"said {self.confirmed_at:.1f}"
        return f"begun {self.at:.1f}, {said}"


@dataclass
class Notebook:
    """All files of all students, below `homes`; safe to use from many threads.

    A save that was confirmed has to be there. One that was not may be there or not. `overwritten`
    has a sentence for each file that was an older one when its next save began.
    """

    homes: Path
    saves: int = 0
    overwritten: list[str] = field(default_factory=list)
    _tries: dict[str, list[Try]] = field(default_factory=dict)
    _confirmed: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def try_save(self, file: str, content: str) -> None:
        """A save of `file` (relative to the homes) begins."""
        with self._lock:
            if file in self._confirmed and (wrong := self._wrong_with(file, at_rest=False)):
                self.overwritten.append(wrong)
            self._tries.setdefault(file, []).append(Try(digest(content.encode()), time.time()))

    def confirm(self, file: str) -> None:
        """The server has said of this file's last save that it is done."""
        with self._lock:
            tries = self._tries[file]
            tries[-1].confirmed_at = time.time()
            self._confirmed[file] = len(tries) - 1
            self.saves += 1

    @property
    def files(self) -> int:
        """How many files have to be there."""
        return len(self._confirmed)

    def lost(self) -> list[str]:
        """A sentence for each confirmed file that is not there, or has another content."""
        with self._lock:
            found = [self._wrong_with(file, at_rest=True) for file in sorted(self._confirmed)]
        return [sentence for sentence in found if sentence]

    def _wrong_with(self, file: str, *, at_rest: bool) -> str:
        """A sentence, or nothing. Not `at_rest`, a save that nobody confirmed may be half done."""
        path, tries, last = self.homes / file, self._tries[file], self._confirmed[file]
        try:
            content, written_at = path.read_bytes(), path.stat().st_mtime
        except FileNotFoundError:
            return f"{file} was saved, and is not there"
        there = digest(content)
        if there in {one.digest for one in tries[last:]}:
            return ""
        earlier = [str(one) for one in tries[:last] if one.digest == there]
        if not earlier and not at_rest and tries[last + 1 :]:
            return ""
        what = f"that of a save {earlier[0]}" if earlier else f"{len(content)} bytes of no save"
        return (
            f"{file} has not the content that was saved last ({tries[last]}), but {what}, "
            f"written {written_at:.1f}"
        )
