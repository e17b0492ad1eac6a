"""Versions that examples and pages pin: they are those of requirements/examples.lock.

python -m tests.infrastructure.pins    writes them from the lock
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "examples.lock"
ENDINGS = (".md", ".example", ".hcl", ".tf", ".tfvars", ".rb", ".json")


def locked() -> dict[str, str]:
    """The version of each package that examples may name."""
    wanted = {
        line.strip()
        for line in LOCK.with_suffix(".in").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    }
    found = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    return {name: found[name] for name in sorted(wanted)}


def pinned(text: str, names: Iterator[str] | list[str]) -> list[tuple[str, str]]:
    """Each package of these that a text pins, with the version."""
    return re.findall(rf"\b({'|'.join(map(re.escape, names))})==([\w.]+\w)", text)


def examples() -> list[Path]:
    """The files in which a version may be pinned for a reader."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    files = [REPOSITORY / name for name in listed.split("\0") if name.endswith(ENDINGS)]
    return [file for file in files if file.is_file()]


def write() -> Iterator[Path]:
    """Give every example the locked versions; yields the files that had others."""
    versions = locked()
    for file in examples():
        old = file.read_text(encoding="utf-8")
        new = old
        for name, version in versions.items():
            new = re.sub(rf"\b{re.escape(name)}==[\w.]+\w", f"{name}=={version}", new)
        if new != old:
            file.write_text(new, encoding="utf-8")
            yield file


if __name__ == "__main__":
    for written in write():
        print(written.relative_to(REPOSITORY))
