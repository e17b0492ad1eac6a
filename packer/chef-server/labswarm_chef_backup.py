#!/opt/labswarm-aws/bin/python
"""Back the Chef Server up to its bucket, and restore it from there.

`backup` counts only after a test restore has opened it: the archive is fetched back, its database
is imported into a scratch PostgreSQL, and its contents are compared with the server's own list.
`restore` compares versions before it touches anything, and asks the server afterwards what is
there.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from labswarm_chef_contents import Contents, missing
from labswarm_chef_place import Place, here
from labswarm_chef_scratch import Scratch, programs_in
from labswarm_chef_server import DATA, ROOT, TLS, ctl, run

NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z\.tar")
NEWEST = "newest"
MANIFEST = "manifest.json"
"""In the archive: a list of its contents, next to `server.tgz` and the folder `tls`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exits with 1 and a sentence when it fails, with 2 on a wrong name."""
    parser = argparse.ArgumentParser(prog="labswarm-chef-backup", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("backup", help="back the server up, and open the backup by a test restore")
    for name, what in (
        ("check", "open a backup by a test restore; the server is not touched"),
        ("restore", "replace all that the server holds by a backup"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument(
            "backup", nargs="?", default=NEWEST, help=f"open the backup of this name, or {NEWEST}"
        )
    options = parser.parse_args(arguments)
    name = getattr(options, "backup", NEWEST)
    if name != NEWEST and not NAME.fullmatch(name):
        parser.error(f"backup: {name!r} is no name like 20261130T020000Z.tar")

    place = here()
    # On the data volume, which has room for it.
    with tempfile.TemporaryDirectory(prefix="backup.", dir=DATA) as folder:
        work = Path(folder)
        work.chmod(0o711)  # the scratch database's user passes through it
        if options.command == "backup":
            backup(place, work)
        elif options.command == "check":
            check(place, work, name)
        else:
            restore(place, work, name)


def backup(place: Place, work: Path) -> None:
    """Back the server up, open the backup by a test restore, and count it for the alarm."""
    contents = asked(place, "before the backup")
    for old in left_by_ctl():
        old.unlink()
    ctl(place.flavour, "backup", "--yes")
    if not left_by_ctl():
        die(f"`{place.flavour.ctl} backup` ended well and left no archive in /var/opt")
    made = left_by_ctl()[-1]
    archive = work / "all.tar"
    about = work / MANIFEST
    about.write_text(
        json.dumps({"versions": versions_in(made), "contents": contents}, indent=2) + "\n"
    )
    with tarfile.open(archive, "w") as tar:
        # The manifest first: a restore reads it before it unpacks the rest.
        tar.add(about, MANIFEST)
        tar.add(made, "server.tgz")
        tar.add(TLS, "tls")
    made.unlink()
    name = time.strftime("%Y%m%dT%H%M%SZ.tar", time.gmtime())
    with archive.open("rb") as body:
        place.of("s3").put_object(Bucket=place.ground["backup_bucket"], Key=name, Body=body)
    archive.unlink()
    check(place, work, name)
    place.of("cloudwatch").put_metric_data(
        Namespace="Labswarm", MetricData=[{"MetricName": "ChefBackups", "Value": 1}]
    )
    say(f"backed up as {name}")


def check(place: Place, work: Path, name: str) -> None:
    """Open a backup by a test restore of its database. Dies naming what it lacks."""
    name, contents, folder = fetched(place, work, name)
    if contents is None:
        die(f"{name} has no list of its contents; make a new one with `backup`")
    server_tgz, inner = folder / "server.tgz", work / "inner"
    members = run("tar", "--list", "--file", server_tgz).stdout.splitlines()
    dumps = [one for one in members if re.fullmatch(r"[^/]*backup-[^/]*\.sql", one)]
    if len(dumps) != 1:
        die(f"{name} has {len(dumps)} database dumps in its server.tgz; it should have one")
    inner.mkdir()
    run("tar", "--extract", "--file", server_tgz, "--directory", inner, dumps[0])
    dump = inner / dumps[0]
    user = postgres_user(server_tgz)
    scratch = Scratch(work / "scratch", user, programs_in(ROOT / "opt" / place.flavour.project))
    try:
        found = scratch.contents_of(dump, place.organization)
    except ValueError as error:
        die(f"the test restore of {name} failed: {error}")
    if lacking := missing(contents, found):
        die(f"the test restore of {name} lacks {'; '.join(lacking)}")
    say(f"the test restore of {name} has {counted(found)}")


def restore(place: Place, work: Path, name: str) -> None:
    """Replace all that the server holds by a backup. Dies before any change on another version."""
    name, contents, folder = fetched(place, work, name)
    differing = differences(versions_in(folder / "server.tgz"))
    if differing:
        die(
            f"nothing was changed: {name} is {'; '.join(differing)}. Build packer/chef-server "
            "with that version (-var chef_version=...), start the server from it, restore, and "
            "then start it from the newer image, which upgrades the data"
        )
    before = work / "tls.before"
    shutil.copytree(TLS, before, symlinks=True)
    # The authority first: the set-up makes the server's certificate from it, and nodes trust it.
    replace_tree(folder / "tls", TLS)
    done = ctl(place.flavour, "restore", "--cleanse", str(folder / "server.tgz"), check=False)
    if done.returncode:
        replace_tree(before, TLS)
        last = " / ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        die(f"`{place.flavour.ctl} restore` ended with {done.returncode}: {last}")
    run("systemctl", "restart", "labswarm-chef-server.service")
    # The command above exits with 0 even when it has refused, so ask the server for its contents.
    found = asked(place, "after the restore")
    wanted = contents or {"organizations": [place.organization]}
    if lacking := missing(wanted, found):
        die(f"after the restore of {name} the server lacks {'; '.join(lacking)}")
    say(f"restored {name}: {counted(found)}")
    if contents is None:
        say(f"{name} has no list of its contents: compare the list above with your own records")


def fetched(place: Place, work: Path, name: str) -> tuple[str, Contents | None, Path]:
    """Fetch a backup and unpack it; return its name, its list of contents, and its folder."""
    s3, bucket = place.of("s3"), place.ground["backup_bucket"]
    if name == NEWEST:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        # Names are times, so the last of them is the newest.
        names = sorted(one["Key"] for page in pages for one in page.get("Contents", ()))
        name = next((one for one in reversed(names) if NAME.fullmatch(one)), "")
        if not name:
            die(f"there is no backup in {bucket}")
    archive, folder = work / "all.tar", work / "unpacked"
    try:
        body = s3.get_object(Bucket=bucket, Key=name)["Body"]
    except s3.exceptions.NoSuchKey:
        die(f"there is no backup {name} in {bucket}")
    with archive.open("wb") as file:
        shutil.copyfileobj(body, file)
    folder.mkdir()
    run("tar", "--extract", "--file", archive, "--directory", folder)
    archive.unlink()
    about = folder / MANIFEST
    return name, json.loads(about.read_text())["contents"] if about.exists() else None, folder


def versions_in(server_tgz: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the versions in the manifest that `chef-server-ctl backup` puts into its archive."""
    return chefs_manifest(server_tgz).get("versions") or {}


def postgres_user(server_tgz: Path) -> str:
    """Return the database's superuser, who is a user of the system too."""
    return str(chefs_manifest(server_tgz)["services"]["postgresql"]["username"])


def chefs_manifest(server_tgz: Path) -> Mapping[str, Any]:
    """Read Chef's own manifest: https://github.com/chef/chef_backup."""
    done = run("tar", "--extract", "--to-stdout", "--file", server_tgz, MANIFEST, check=False)
    if done.returncode:
        die(f"{server_tgz.name} has no {MANIFEST}: `chef-server-ctl restore` could not read it")
    manifest: Mapping[str, Any] = json.loads(done.stdout)
    return manifest


def differences(versions: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Compare a backup's versions with the installed ones, as `chef-server-ctl restore` does.

    An add-on that is not installed is no difference.
    """
    found = []
    for project, about in versions.items():
        installed = ROOT / about["path"].removeprefix("/")
        if not installed.exists():
            continue
        version = json.loads(installed.read_text())["build_version"]
        if version != about["version"]:
            found.append(f"of {project} {about['version']}, and here is {version}")
    return found


def asked(place: Place, when: str) -> Contents:
    """Ask the server what it has. Dies when it does not answer."""
    try:
        return place.server.contents()
    except OSError as error:
        die(f"the server does not list its contents {when}: {error}")


def left_by_ctl() -> list[Path]:
    """Return the archives that `chef-server-ctl backup` leaves: chef-backup, or cinc-backups."""
    return sorted((ROOT / "var/opt").glob("*-backup*/*.tgz"))


def replace_tree(source: Path, target: Path) -> None:
    """Put a folder in the place of another."""
    shutil.rmtree(target)
    shutil.move(source, target)


def counted(contents: Contents) -> str:
    """Return how many of each kind there are, in words."""
    return ", ".join(f"{len(names)} {kind}" for kind, names in contents.items())


def say(what: str) -> None:
    """Write to the command's output, which State Manager keeps."""
    print(f"labswarm-chef-backup: {what}", flush=True)


def die(why: str) -> NoReturn:
    """Write why, and end as failed."""
    sys.exit(f"labswarm-chef-backup: {why}")


if __name__ == "__main__":
    os.umask(0o077)
    main()
