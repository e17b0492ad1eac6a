"""An exam at the hub: whose server belongs to it, and how that server differs from the others."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labswarm.lab_hours.group_labs import WARM_UP_S, GroupLab, parsed
from labswarm_hub.settings import Group

OPTION = "exam"
"""The option of a server that belongs to an exam: the exam's key. The hub sets it, and nobody
else."""


def exam_of(labs: Iterable[GroupLab], groups: Collection[str], now: float) -> GroupLab | None:
    """Return the exam to which a server belongs that a member of these groups starts at `now`
    (epoch seconds); None: to none. From the warm-up on each start is one of the exam."""
    running = [
        lab
        for lab in labs
        if lab.exam and lab.group in groups and lab.starts - WARM_UP_S <= now < lab.ends
    ]
    return min(running, key=lambda lab: (lab.starts, lab.key), default=None)


def key_in(options: Mapping[str, Any]) -> str | None:
    """Return the key of the exam in a server's options; None for a server of no exam."""
    key = options.get(OPTION)
    return key if isinstance(key, str) else None


def with_key(options: Mapping[str, Any], exam: GroupLab | None) -> dict[str, Any]:
    """Return a server's options with the exam's key, or without one. A key that somebody sent
    counts for nothing."""
    others = {name: value for name, value in options.items() if name != OPTION}
    return others if exam is None else {**others, OPTION: exam.key}


def for_exam(group: Group, image: str) -> Group:
    """Return the group with the exam's image, in which each server may use what it is guaranteed
    and no more: nobody's work depends on the neighbours."""
    limit = replace(
        group.limit, memory_bytes=group.seat.memory_bytes, nano_cpus=group.seat.nano_cpus
    )
    return replace(group, image=image, limit=limit)


@dataclass(frozen=True)
class Record:
    """An exam in which a server has started: the images of its servers, by the cluster and the
    profile, and whether its submissions are copied."""

    lab: GroupLab
    images: Mapping[str, str]
    copied: bool = False


class Records:
    """The records of exams, a file each: they outlive the hub."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def frozen_image(self, exam: GroupLab, choice: str, image: str) -> str:
        """Return the image of the exam's servers of this `choice`: that of the first of them. The
        exam's times are those of its last start, because it may be extended."""
        known = self._read(exam.key)
        images = {choice: image, **(known.images if known else {})}
        record = Record(exam, images)
        if record != known:
            self._write(record)
        return images[choice]

    def over(self, now: float) -> list[Record]:
        """Return the exams that are over at `now` (epoch seconds) and not copied yet."""
        keys = sorted(file.stem for file in self._folder.glob("*.json"))
        records = [record for key in keys if (record := self._read(key))]
        return [one for one in records if not one.copied and one.lab.ends <= now]

    def close(self, record: Record) -> None:
        """Note that the submissions are copied."""
        self._write(replace(record, copied=True))

    def _read(self, key: str) -> Record | None:
        try:
            values = json.loads((self._folder / f"{key}.json").read_text())
        except FileNotFoundError:
            return None
        (lab,) = parsed(json.dumps({"labs": [values["lab"]]}))
        return Record(lab, values["images"], values["copied"])

    def _write(self, record: Record) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / f"{record.lab.key}.json"
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(record)))
        new.replace(file)
