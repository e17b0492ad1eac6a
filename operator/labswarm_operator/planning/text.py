"""Print an answer for a person."""

from collections.abc import Iterator
from datetime import datetime

from labswarm.planning.answer import Answer, LabAnswer, Replayed, Waits
from labswarm.planning.cluster import Prices
from labswarm.planning.costs import Cost
from labswarm.planning.words import duration


def lines(answer: Answer) -> Iterator[str]:
    """Yield the answer, the labs, the cost, the changes to make and the assumptions."""
    yield answer.headline
    for remedy in answer.remedies:
        if remedy not in answer.headline:
            yield f"  {remedy}"
    kind = f" {answer.instance_type}" if answer.instance_type else ""
    used = f"{answer.nodes}{kind} nodes of {answer.seats_per_node} seats"
    yield f"{answer.cluster}: uses up to {used}"
    for lab in answer.labs:
        yield from _lab(lab)
    if answer.recorded:
        yield recorded(answer.recorded, answer.waits)
    if answer.replayed:
        yield replayed(answer.replayed)
    if answer.lost_nodes:
        yield f"Spot: {answer.lost_nodes} nodes lost, {answer.moved} servers moved"
    yield f"Cost: {cost(answer.cost)}"
    if answer.prices:
        yield f"Prices: {prices(answer.prices)}"
    yield from (f"Assumed: {sentence}" for sentence in answer.assumed)
    if answer.not_checked:
        yield f"Not known, not checked: {', '.join(answer.not_checked)}"


def _lab(lab: LabAnswer) -> Iterator[str]:
    yield f"  {when(lab.starts, lab.ends)}  {lab.name}: {lab.served} of {lab.students} get a server"
    waits = lab.waits
    asked = f", nodes from {clock(lab.asked_from)}" if lab.asked_from else ", no new nodes"
    yield (
        f"    waits {duration(waits.p50_s)} (half), {duration(waits.p95_s)} (95 of 100), "
        f"{duration(waits.worst_s)} (worst){asked}, {cost(lab.cost)}"
    )


def recorded(waits: Waits, simulated: Waits) -> str:
    """Return the waits of the class that was, and the error of the simulation in words."""
    said = (
        f"Recorded: waits {duration(waits.p50_s)} (half), {duration(waits.p95_s)} (95 of 100), "
        f"{duration(waits.worst_s)} (worst)"
    )
    if not waits.p95_s:
        return said
    off = simulated.p95_s / waits.p95_s - 1
    return f"{said}. Simulated, 95 of 100 wait {off:+.0%}"


def replayed(of: Replayed) -> str:
    """Return the use of the class that was, and the error of the simulation in words."""
    was, is_now = of.recorded, of.simulated
    return (
        f"Recorded: {was.nodes} nodes, {was.node_hours:.1f} node hours, {was.seat_hours:.1f} "
        f"seat-hours during the class. Simulated, {is_now.nodes} nodes, "
        f"{_off(is_now.node_hours, was.node_hours)} node hours, "
        f"{_off(is_now.seat_hours, was.seat_hours)} seat-hours"
    )


def _off(simulated: float, recorded: float) -> str:
    return f"{simulated / recorded - 1:+.0%}" if recorded else f"{simulated:.1f}"


def cost(of: Cost) -> str:
    """Return a cost in words."""
    hours = f"{of.node_hours:.1f} node hours"
    if of.usd is None:
        return hours
    each = f", ${of.usd_per_seat_hour:.4f} per seat-hour" if of.usd_per_seat_hour else ""
    return f"${of.usd:.2f} (all on demand ${of.list_usd:.2f}){each}, {hours}"


def prices(of: Prices) -> str:
    """Return the source of the prices in words."""
    return (
        f"{of.region}, list of {of.date or 'an unknown day'}: ${of.on_demand:.4f} per node-hour on "
        f"demand, ${of.spot:.4f} on spot ({of.spot_source}), ${of.volume:.4f} for the volume"
    )


def clock(at: float) -> str:
    """Return a time of day in this machine's time zone."""
    return datetime.fromtimestamp(at).strftime("%H:%M")


def when(starts: float, ends: float) -> str:
    """Return the day and the hours of a lab."""
    return f"{datetime.fromtimestamp(starts):%a %d %b %H:%M}-{clock(ends)}"
