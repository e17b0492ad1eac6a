"""AWS's delays for work that is instant on one machine: two profiles of named figures.

Every figure is in seconds of the emulator's clock, so that it is scaled with all other waits.
"""

import math
import random
from dataclasses import dataclass

_P99 = 2.326347874040841
"""The 99th percentile of the normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Delay:
    """A time that varies: half of the draws are at most `median_s`, 99 of 100 at most `p99_s`.

    Without `p99_s` it is always `median_s`.
    """

    median_s: float
    p99_s: float | None = None

    def __post_init__(self) -> None:
        if self.median_s < 0 or (self.p99_s is not None and self.p99_s < self.median_s):
            raise ValueError(f"no delay: median {self.median_s} s, p99 {self.p99_s} s")

    def drawn(self, chance: random.Random) -> float:
        """Draw its seconds: log-normal, as waits in queues about are."""
        if self.median_s == 0 or self.p99_s is None:
            return self.median_s
        sigma = math.log(self.p99_s / self.median_s) / _P99
        return self.median_s * math.exp(chance.gauss(0, sigma))


@dataclass(frozen=True)
class Latency:
    """One profile's figures."""

    name: str
    event: Delay
    """From an event to the call of a rule's target."""
    command: Delay
    """From SendCommand to the agent's start of the script."""
    boot: Delay
    """From RunInstances to a machine that boots; its agent registers when it has."""
    cold_start: Delay
    """Init of a function's new worker, at least."""
    silence_s: float
    """From an agent's last sign of life to its PingStatus ConnectionLost."""


_NONE = Delay(0)
FAST = Latency("fast", event=_NONE, command=_NONE, boot=_NONE, cold_start=_NONE, silence_s=0)
AWS = Latency(
    "aws",
    event=Delay(1, p99_s=10),
    command=Delay(2),
    boot=Delay(45),
    cold_start=Delay(0.5),
    # The agent pings every five minutes,
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
    silence_s=300,
)
PROFILES = {profile.name: profile for profile in (FAST, AWS)}


class UnknownLatency(ValueError):
    """No profile has this name."""


def profile(name: str) -> Latency:
    """The profile of this name. Raises UnknownLatency."""
    if name not in PROFILES:
        raise UnknownLatency(f"latency {name!r} is none of {', '.join(PROFILES)}")
    return PROFILES[name]
