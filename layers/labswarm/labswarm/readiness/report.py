"""Print whether a cluster is ready, for a person or as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from labswarm.readiness.account_rules import Finding
from labswarm.readiness.facts import Readiness


def lines(name: str, facts: Readiness, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the answer, the next labs, each finding with its remedy, and the missing checks."""
    count = len(findings)
    ready = f"not ready, {count} finding{'s' * (count > 1)}" if count else "ready"
    yield f"{name}: {ready}"
    for lab in facts.answer.labs if facts.answer else ():
        starts = datetime.fromtimestamp(lab.starts).astimezone().strftime("%Y-%m-%d %H:%M %Z")
        yield f"  {starts}  {lab.name}, {lab.students} seats"
    if facts.answer is None:
        yield "  no lab is booked in the next 48 hours"
    for finding in findings:
        yield f"{finding.subject}: {finding.problem}"
        yield f"  {finding.remedy}"
    for text in facts.unchecked:
        yield f"not checked: {text}"


def as_json(name: str, facts: Readiness, findings: Sequence[Finding]) -> str:
    """Return the same as one JSON object; times are seconds since the epoch."""
    labs = facts.answer.labs if facts.answer else ()
    return json.dumps(
        {
            "cluster": name,
            "ready": not findings,
            "labs": [
                {"name": lab.name, "starts": lab.starts, "students": lab.students} for lab in labs
            ],
            "findings": [asdict(finding) for finding in findings],
            "not_checked": list(facts.unchecked),
        }
    )
