"""The emulator's record of its events, in order: one JSON object per line."""

import json
import threading
import time
from pathlib import Path
from typing import Any


class Record:
    """An append-only record to which every part of the emulator writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, part: str, what: str, **fields: Any) -> None:
        """Add one line: the time (s since the epoch), the part of the emulator, its action."""
        line = json.dumps(
            {"at": round(time.time(), 3), "part": part, "what": what, **fields}, default=str
        )
        with self._lock, self._path.open("a", encoding="utf-8") as record:
            record.write(line + "\n")
