"""The rules before a lab: a finding with a remedy for each fault, and none for a sound cluster."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.app_twins import DESCRIPTION

from labswarm.chef.certificate import Certificate, certificate
from labswarm.cluster import Chef
from labswarm.errors import Transient
from labswarm.readiness.facts import Readiness
from labswarm.readiness.rules import CERTIFICATE_S, diagnose
from labswarm_lab.chef.ca import Authority

NOW = 1_800_000_000.0
SOUND = Readiness(
    now=NOW,
    fed=NOW - 3600,
    snapshot_at=NOW - 10,
    images={"ami-1": "available"},
    homes={"fs-1": "available", "fsmt-1": "available"},
    nodes=18,
    score=9,
    certificate=Certificate(NOW + 90 * 86_400),
)


def test_a_sound_cluster_has_no_finding() -> None:
    assert diagnose(SOUND) == []


@pytest.mark.parametrize(
    ("changed", "subject", "said"),
    [
        ({"problems": ("'Maths': has no seats.",)}, "timetable", "'Maths': has no seats."),
        ({"fed": NOW - 9 * 3600}, "timetable", "last read 9.0 h ago"),
        ({"fed": 0}, "timetable", "never been read"),
        ({"snapshot_at": None}, "hub", "never sent a snapshot"),
        ({"snapshot_at": NOW - 600}, "hub", "10 min old"),
        ({"images": {"ami-1": ""}}, "image ami-1", "it is gone"),
        ({"images": {"ami-1": "pending"}}, "image ami-1", "it is pending"),
        ({"homes": {"fsmt-1": "deleting"}}, "homes fsmt-1", "It is deleting"),
        ({"score": 2}, "spot capacity", "18 spot instances a placement score of 2 of 10"),
        ({"certificate": Certificate(NOW + 86_400)}, "Chef Server", "ends in 1 days"),
        ({"certificate": Certificate(NOW - 1)}, "Chef Server", "has ended"),
        ({"certificate": Certificate(None, "self-signed")}, "Chef Server", "self-signed"),
        ({"alarms_on": ("labswarm-LaunchesHeld",)}, "alarm labswarm-LaunchesHeld", "It is on."),
    ],
)
def test_each_fault_is_one_finding_with_a_remedy(
    changed: dict[str, Any], subject: str, said: str
) -> None:
    (finding,) = diagnose(replace(SOUND, **changed))

    assert finding.subject == subject
    assert said in finding.problem
    assert finding.remedy


def test_a_check_that_was_not_made_is_no_finding() -> None:
    assert diagnose(replace(SOUND, score=None, certificate=None, homes={}, images={})) == []


@contextmanager
def serving(authority: Authority, folder: Path) -> Iterator[str]:
    """A server that speaks TLS with a certificate of this authority."""
    issued = authority.issue("127.0.0.1")
    (folder / "pem").write_bytes(issued.pem + issued.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            caller, _ = listening.accept()
            with caller:
                try:
                    context.wrap_socket(caller, server_side=True).close()
                except OSError:
                    return

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def chef(url: str, authority: Authority) -> Chef:
    return Chef(**{**DESCRIPTION["chef"], "url": url, "ca_pem": authority.pem})


def test_the_certificates_end_is_read_and_one_of_another_authority_is_not_trusted(
    tmp_path: Path,
) -> None:
    ours, other = Authority(), Authority("another")

    with serving(ours, tmp_path) as url:
        found = certificate(chef(url, ours))
    assert found.ends_at is not None
    assert found.ends_at - time.time() > CERTIFICATE_S
    with serving(ours, tmp_path) as url:
        assert certificate(chef(url, other)).ends_at is None


def test_a_chef_server_that_is_not_reached_is_an_error_and_no_finding() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(Transient, match="is not reached"):
        certificate(chef(url, Authority()))
