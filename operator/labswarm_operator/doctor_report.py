"""Print the doctor's findings, for a person or as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from labswarm.readiness.account import Facts
from labswarm.readiness.account_rules import Finding, said
from labswarm.readiness.fit import Fit


def lines(facts: Facts, fits: Fit | None, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the size of the class that fits, the quotas, and each finding with its remedy."""
    if fits is None:
        yield f"{facts.name}: the class size is unknown"
    else:
        yield (
            f"{facts.name}: a class of {fits.students} fits, on {fits.nodes} of {fits.wanted} "
            f"workers with {fits.seats_per_node} seats each; the limit is {fits.limited_by}"
        )
    for limit in facts.limits:
        yield f"  {said(limit)}"
    for rate in facts.rates:
        yield f"  Systems Manager, {rate.operation}: {rate.per_s:g} calls per second"
    if not facts.rates:
        yield "  Systems Manager: AWS lists no rate of the app's calls"
    for finding in findings:
        yield f"{finding.subject}: {finding.problem}"
        yield f"  {finding.remedy}"
    if not findings:
        yield "Nothing is wrong."


def as_json(facts: Facts, fits: Fit | None, findings: Sequence[Finding]) -> str:
    """Return the same as one JSON object."""
    limits = [
        {
            "service": limit.quota.service,
            "code": limit.quota.code,
            "name": limit.quota.label,
            "value": limit.value,
            "used": limit.used,
        }
        for limit in facts.limits
    ]
    return json.dumps(
        {
            "cluster": facts.name,
            "class": asdict(fits) if fits else None,
            "quotas": limits,
            "rates": [asdict(rate) for rate in facts.rates],
            "findings": [asdict(finding) for finding in findings],
        }
    )
