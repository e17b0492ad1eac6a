"""Print a month's bill, for a person or as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict

from labswarm.planning.costs import Cost
from labswarm_operator.costs.bill import Bill, LabBill, Used
from labswarm_operator.planning.text import prices, when

VERSION = 1


def lines(bill: Bill) -> Iterator[str]:
    """Yield the month's cost, and that of each lab with its forecast, group and student."""
    yield f"{bill.cluster} in {bill.month}: {_said(bill.total)}"
    if not bill.total.node_hours:
        yield "  No use is recorded. Records begin with the version that has this command."
    for lab in bill.labs:
        yield f"  {when(lab.starts, lab.ends)}  {lab.name}: {_said(lab.used)}{_forecast(lab)}"
    if bill.outside.node_hours:
        yield f"  outside of labs: {_said(bill.outside)}"
    for title, shares in (("Group", bill.groups), ("Student", bill.students)):
        for name, used in shares.items():
            yield f"{title} {name}: {_said(used)}"
    if bill.prices:
        yield f"Prices: {prices(bill.prices)}"


def as_json(bill: Bill) -> str:
    """Return the same as one JSON object; times are seconds since the epoch."""
    return json.dumps({"version": VERSION, **asdict(bill)})


def _said(used: Used | Cost) -> str:
    hours = f"{used.seat_hours:.1f} seat-hours, {used.node_hours:.1f} node hours"
    return hours if used.usd is None else f"${used.usd:.2f}, {hours}"


def _forecast(lab: LabBill) -> str:
    return f" (forecast for {lab.seats}: {_said(lab.forecast)})" if lab.forecast else ""
