"""The folders that a Debian system without programs has, as the layer of an image."""

import io
import tarfile
from collections.abc import Mapping

_FOLDERS = (
    "dev",
    "etc",
    "home",
    "opt",
    "proc",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
    "var/tmp",
)
_WORLD_WRITABLE = frozenset({"tmp", "var/tmp"})
# As in every merged-/usr distribution, Debian 12 and Ubuntu 24.04 among them. But `sbin` is a
# folder: the Engine puts its init there, and cannot in a read-only /usr.
_LINKS = {name: f"usr/{name}" for name in ("bin", "lib", "lib64")}


def skeleton(files: Mapping[str, str], owned: Mapping[str, tuple[int, int]] | None = None) -> bytes:
    """A tar of the folders with these text files (by path without a leading slash) in them.

    `owned` are further folders with their user and group id. The same input gives the same bytes.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        folders = dict.fromkeys(_FOLDERS, (0, 0)) | _parents(files) | dict(owned or {})
        for name, (uid, gid) in sorted(folders.items()):
            entry = tarfile.TarInfo(name)
            entry.type, entry.uid, entry.gid = tarfile.DIRTYPE, uid, gid
            entry.mode = 0o1777 if name in _WORLD_WRITABLE else 0o755
            tar.addfile(entry)
        for name, target in sorted(_LINKS.items()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, text in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _parents(files: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    parts = (name.split("/")[:-1] for name in files)
    return {"/".join(path[:depth]): (0, 0) for path in parts for depth in range(1, len(path) + 1)}
