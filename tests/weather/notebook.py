"""What students saved: which content each file may have, by what the server has confirmed."""

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path


def digest(content: bytes) -> str:
    """The hash by which contents are compared."""
    return hashlib.sha256(content).hexdigest()


@dataclass
class Notebook:
    """All files of all students; safe to use from many threads.

    A save that was confirmed has to be there. One that was not may be there or not.
    """

    saves: int = 0
    _allowed: dict[str, set[str]] = field(default_factory=dict)
    _confirmed: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def try_save(self, file: str, content: str) -> None:
        """A save of `file` (relative to the homes) begins."""
        with self._lock:
            self._allowed.setdefault(file, set()).add(digest(content.encode()))

    def confirm(self, file: str, content: str) -> None:
        """The server has said that this is saved."""
        with self._lock:
            self._allowed[file] = {digest(content.encode())}
            self._confirmed.add(file)
            self.saves += 1

    @property
    def files(self) -> int:
        """How many files have to be there."""
        return len(self._confirmed)

    def lost(self, homes: Path) -> list[str]:
        """A sentence for each confirmed file that is not there, or has another content."""
        sentences = []
        with self._lock:
            for file in sorted(self._confirmed):
                try:
                    found = digest((homes / file).read_bytes())
                except FileNotFoundError:
                    sentences.append(f"{file} was saved, and is not there")
                    continue
                if found not in self._allowed[file]:
                    sentences.append(f"{file} has not the content that was saved last")
        return sentences
