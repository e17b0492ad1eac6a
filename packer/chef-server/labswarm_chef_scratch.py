"""Restore a backup's database into a scratch PostgreSQL, and list its contents.

The server that runs is not touched: the scratch one has its own folder, no network and no disk
syncs. The dump is the one that `chef-server-ctl restore` would import:
https://github.com/chef/chef_backup/blob/main/lib/chef_backup/strategy/restore/tar.rb
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from labswarm_chef_contents import Contents

_WAIT_S = 120

# https://github.com/chef/chef-server/tree/main/src/oc_erchef/schema
_OF_ORGANIZATION = "FROM {table} t JOIN orgs o ON o.id = t.org_id WHERE o.name = :'organization'"
_QUERIES = {
    "organizations": "SELECT name FROM orgs WHERE name = :'organization'",
    "users": (
        "SELECT u.username FROM users u JOIN org_user_associations a ON a.user_id = u.id "
        "JOIN orgs o ON o.id = a.org_id WHERE o.name = :'organization'"
    ),
    "nodes": "SELECT t.name " + _OF_ORGANIZATION.format(table="nodes"),
    "cookbooks": (
        "SELECT t.name || ' ' || v.major || '.' || v.minor || '.' || v.patch "
        "FROM cookbook_versions v JOIN cookbooks t ON t.id = v.cookbook_id "
        "JOIN orgs o ON o.id = t.org_id WHERE o.name = :'organization'"
    ),
    "policies": "SELECT t.name " + _OF_ORGANIZATION.format(table="policies"),
}


class Scratch:
    """A PostgreSQL server in `folder`, run by the system's user `user` with programs in `bin`."""

    def __init__(self, folder: Path, user: str, programs: Path) -> None:
        self._folder = folder
        self._user = user
        self._programs = programs
        self._sockets = ""

    def contents_of(self, dump: Path, organization: str) -> Contents:
        """Import the dump (SQL of pg_dumpall) and return what the organization has in it.

        Raises ValueError naming the first errors when the dump does not import whole.
        """
        self._folder.mkdir()
        shutil.chown(self._folder, self._user)
        data, log = self._folder / "data", self._folder / "log"
        self._run("initdb", "--auth=trust", f"--username={self._user}", f"--pgdata={data}")
        # A path of a socket has 107 characters at most, so it is not in the folder.
        with tempfile.TemporaryDirectory(prefix="scratch.") as sockets:
            shutil.chown(sockets, self._user)
            self._sockets = sockets
            only_here = f"-c listen_addresses='' -c unix_socket_directories='{sockets}'"
            try:
                self._run(
                    *("pg_ctl", f"--pgdata={data}", "--wait", f"--timeout={_WAIT_S}"),
                    *(f"--options={only_here} -c fsync=off", f"--log={log}", "start"),
                )
            except ValueError as error:
                last = log.read_text().strip().splitlines()[-3:] if log.exists() else []
                raise ValueError(" / ".join([str(error), *last])) from error
            try:
                self._import(dump)
                return self._contents(organization)
            finally:
                self._run("pg_ctl", f"--pgdata={data}", "--mode=immediate", "stop")

    def _import(self, dump: Path) -> None:
        with dump.open("rb") as sql:
            done = subprocess.run(
                self._command("psql", "--quiet", "--no-psqlrc", "--dbname=postgres"),
                stdin=sql,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
            )
        errors = [
            line
            for line in done.stderr.decode(errors="replace").splitlines()
            # The scratch server's own superuser is there before the dump makes it.
            if "ERROR:" in line and f'role "{self._user}" already exists' not in line
        ]
        if done.returncode or errors:
            raise ValueError(" / ".join(errors[:3]) or f"psql ended with {done.returncode}")

    def _contents(self, organization: str) -> Contents:
        names = self._ask("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate")
        for database in names:
            if self._ask(database, "SELECT to_regclass('public.orgs')") == ["orgs"]:
                return {
                    kind: sorted(self._ask(database, query, organization))
                    for kind, query in _QUERIES.items()
                }
        raise ValueError(f"none of the databases {', '.join(names)} has a table of organizations")

    def _ask(self, database: str, query: str, organization: str = "") -> Sequence[str]:
        output = self._run(
            *("psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--dbname={database}"),
            *("--set=ON_ERROR_STOP=1", f"--set=organization={organization}", "--file=-"),
            stdin=query,
        )
        return [line for line in output.splitlines() if line]

    def _run(self, program: str, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            self._command(program, *words), input=stdin.encode(), capture_output=True, check=False
        )
        if done.returncode:
            last = " / ".join(done.stderr.decode(errors="replace").strip().splitlines()[-3:])
            raise ValueError(f"{program} ended with {done.returncode}: {last}")
        return done.stdout.decode()

    def _command(self, program: str, *words: str) -> Sequence[str]:
        reach = [f"--host={self._sockets}", f"--username={self._user}"] if program == "psql" else []
        path = str(self._programs / program)
        return ["runuser", "-u", self._user, "--", path, *reach, *words]


def programs_in(project: Path) -> Path:
    """Return the folder of the newest PostgreSQL that the Chef Server in `project` brings."""
    versions = sorted(
        (project / "embedded/postgresql").glob("*/bin/initdb"),
        key=lambda path: [int(number) for number in re.findall(r"\d+", path.parts[-3])],
    )
    return versions[-1].parent if versions else project / "embedded/bin"
