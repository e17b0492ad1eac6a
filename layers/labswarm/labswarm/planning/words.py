"""The sentences of an answer, the same on the command line, on the page and in a mail."""

from labswarm.lab_hours.demand import MEASURED_ENOUGH, TICK_S
from labswarm.planning.answer import Verdict, Waits
from labswarm.planning.cluster import PlannedCluster
from labswarm.planning.distributions import Distributions, LogNormal, Measured
from labswarm.planning.limits import Bound
from labswarm.planning.students import Arrivals


def headline(
    verdict: Verdict, students: int, fits: int, limit: Bound | None, waits: Waits, missed: int
) -> str:
    """Return the answer in one or two sentences."""
    if verdict == "yes":
        return f"Yes: all {students} students fit. 95 of 100 wait at most {duration(waits.p95_s)}."
    if verdict == "late":
        return (
            f"Late: all {students} students get a server, but half wait {duration(waits.p50_s)} or "
            f"longer, and 5 of 100 {duration(waits.p95_s)} or longer."
        )
    if limit and fits < students:
        return f"No: {fits} of {students} students fit. {limit.remedy}"
    return f"No: {missed} students get no server before their lab ends."


def assumptions(
    arrivals: Arrivals, distributions: Distributions, ahead_s: float
) -> tuple[str, ...]:
    """Return the assumptions of a plan, a sentence each."""
    starts = distributions.measured_starts_s
    source = f"{len(starts)} measured starts" if len(starts) >= MEASURED_ENOUGH else "assumed"
    losses = distributions.spot_losses_per_hour
    come = (
        f"as in the {len(arrivals.curve)} recorded arrivals"
        if arrivals.curve
        else f"evenly within {duration(arrivals.within_s)} after the start"
    )
    return (
        f"Students come {come}, and work until the end.",
        f"A server is stopped {duration(arrivals.idle_s)} after its student's last work.",
        f"A node takes {_said(distributions.node_start)} to start ({source}), and is asked for "
        f"{duration(ahead_s)} ahead.",
        f"A server takes {_said(distributions.spawn)} to start on a free seat.",
        f"EC2 takes back {losses:.1%} of the spot nodes per hour."
        if losses
        else "EC2 takes back no spot node.",
    )


def unknown_limits(cluster: PlannedCluster) -> tuple[str, ...]:
    """Return the limits whose values are not known."""
    limits = cluster.limits
    return tuple(
        name
        for name, value in (
            ("vCPUs of spot instances", limits.spot_vcpus),
            ("vCPUs of on-demand instances", limits.on_demand_vcpus),
            ("concurrent executions of Lambda", limits.concurrency),
            ("addresses of the workers' subnets", limits.subnet_addresses),
            ("addresses of the overlay network", limits.overlay_addresses),
            ("servers that the hub allows", limits.hub_servers),
        )
        if value is None
    )


def duration(seconds: float) -> str:
    """Return a duration in the unit that a person would use."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * TICK_S:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _said(times: LogNormal | Measured) -> str:
    if isinstance(times, Measured):
        return f"{duration(min(times.samples_s))} to {duration(max(times.samples_s))}"
    if times.median_s == times.p95_s:
        return duration(times.median_s)
    return f"{duration(times.median_s)} (95 of 100 at most {duration(times.p95_s)})"
