"""A Chef Server of the lab: a process of its own, with TLS, and an admin whose key is elsewhere."""

import secrets
import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import urllib3

from labswarm.chef.server import Connection
from labswarm.errors import BadInput, Permanent, Transient
from labswarm_lab.chef.ca import Authority
from labswarm_lab.chef.keys import KeySigner, write_private
from labswarm_lab.chef.objects import SUPERUSER
from labswarm_lab.process import DetachedProcess

_ANSWERS_WITHIN_S = 15
_POLL_S = 0.05


class LabChefServer(Protocol):
    """The lab's calls to any Chef Server."""

    @property
    def url(self) -> str:
        """Where it answers, without an organization."""
        ...

    @property
    def organization(self) -> str | None:
        """Its organization, when it has one."""
        ...

    @property
    def ca_pem(self) -> str:
        """The authority its clients trust (PEM)."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process while it runs, else None."""
        ...

    def start(self) -> None:
        """Start it, or go on with the one that runs; returns when it answers."""
        ...

    def stop(self) -> None:
        """End its process; none running is no error. Its objects are kept in its state."""
        ...

    def provision_admin(self, name: str, public_key_pem: str) -> None:
        """Make `name` its one admin, known by this public key; no other actor's key is left."""
        ...


@dataclass(frozen=True)
class Tls:
    """The files of a server's TLS."""

    ca: Path
    certificate: Path
    key: Path


class ChefProcess(ABC):
    """A `LabChefServer` that is one process; a subclass says how it is started.

    All it has is under `state_dir`, and `address` is an IPv4 address of this machine.
    """

    def __init__(self, address: str, port: int, state_dir: Path) -> None:
        self._address = address
        self._port = port
        self._state = state_dir.resolve()
        self._data = self._state / "data"
        self._conf = self._state / "conf"
        self._first_key = self._conf / f"{SUPERUSER}.pem"
        tls = self._state / f"tls-{address}"
        self._tls = Tls(tls / "ca.pem", tls / "server.pem", tls / "server.key")
        self._process = DetachedProcess(
            self._command(), self._state / "pid", self._state / "chef.log", mark=f"{self._state}/"
        )

    @abstractmethod
    def _command(self) -> list[str]:
        """The command line; it names `state_dir`, keeps its data under `_data` and writes the key
        of a first admin, when it knows none, to `_first_key`."""

    @property
    def url(self) -> str:
        return f"https://{self._address}:{self._port}"

    @property
    @abstractmethod
    def organization(self) -> str | None:
        """Its organization, when it has one."""

    @property
    def ca_pem(self) -> str:
        return self._tls.ca.read_text()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def start(self) -> None:
        """Start it, or go on with the one that runs; returns when it answers.

        Raises BadInput when the address or port cannot be had, Permanent when the process ends at
        once, Transient when it does not answer in 15 s; no process is left in any case.
        """
        for folder in (self._state, self._data, self._conf):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._issue_certificate()
        if self._process.pid is None:
            self._check_address()
            self._process.start()
        try:
            self._await_answer()
        except (Permanent, Transient):
            self._process.stop()
            raise

    def stop(self) -> None:
        self._process.stop()

    def provision_admin(self, name: str, public_key_pem: str) -> None:
        """Make `name` its one admin, known by this public key; no other actor's key is left.

        May be said again, with the same key or another (a new KMS key after a crash). Killed in
        the middle, it can be said again too.
        """
        first = self._as_first_admin()
        admin = {"name": name, "admin": True, "public_key": public_key_pem}
        # A Chef Server wants a password, though nobody will ever log in with it.
        made = first.request(
            "POST", "/users", {**admin, "password": secrets.token_hex(16)}, also=frozenset({409})
        )
        if made.status == 409:
            first.request("PUT", f"/users/{name}", admin)
        first.request("DELETE", f"/users/{SUPERUSER}")
        # Also the keys of clients that a server makes by itself (goiardi's chef-validator and
        # chef-webui, which it does not let us delete): nobody can be one of them again.
        for key in self._conf.glob("*.pem"):
            key.unlink()

    def _as_first_admin(self) -> Connection:
        """A connection with the key that the server itself made."""
        if not self._first_key.exists():
            # It has an admin already; it makes a first one again whenever it starts without.
            self._restart()
        if not self._accepts_first_key():
            # An earlier call was killed between deleting that actor and its key, or the other way
            # round. Nothing but an empty server lets us in again.
            self.stop()
            for file in (*self._data.iterdir(), *self._conf.glob("*.pem")):
                file.unlink()
            self.start()
        return self._connection()

    def _accepts_first_key(self) -> bool:
        if not self._first_key.exists():
            return False
        return self._connection().request("GET", "/users", also=frozenset({401})).status != 401

    def _connection(self) -> Connection:
        # Users stand above organizations: https://docs.chef.io/server/api_chef_server/#users
        signer = KeySigner.read(self._first_key)
        return Connection(self.url, None, SUPERUSER, signer, self.ca_pem)

    def _restart(self) -> None:
        self.stop()
        self.start()

    def _issue_certificate(self) -> None:
        if self._tls.ca.exists():
            return
        self._tls.ca.parent.mkdir(mode=0o700, exist_ok=True)
        authority = Authority()
        issued = authority.issue(self._address)
        write_private(self._tls.key, issued.key_pem)
        write_private(self._tls.certificate, issued.pem)
        # Last, as the sign that all are there.
        write_private(self._tls.ca, authority.pem.encode())

    def _check_address(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._address, self._port))
            except OSError as error:
                raise BadInput(
                    "port",
                    f"the Chef Server cannot listen on {self._address}:{self._port} "
                    f"({error.strerror}); end what does, or give another",
                ) from error

    def _await_answer(self) -> None:
        http = urllib3.PoolManager(ca_certs=str(self._tls.ca), retries=False, timeout=2)
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while True:
            try:
                http.request("GET", self.url)
            except urllib3.exceptions.HTTPError as error:
                seen = error
            else:
                break
            if self._process.ended():
                raise Permanent(
                    f"the Chef Server did not start on {self._address}:{self._port}: "
                    f"{self._process.last_words()}"
                )
            if time.monotonic() > deadline:
                raise Transient(
                    f"the Chef Server does not answer after {_ANSWERS_WITHIN_S} s: {seen}"
                )
            time.sleep(_POLL_S)
