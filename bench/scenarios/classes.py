"""The scenarios: labs, the span of time that is paid for, and the losses and shortages in it."""

from dataclasses import dataclass, field, replace
from typing import Any

from labswarm.lab_hours.booking import Booking
from labswarm.planning.distributions import Distributions, LogNormal, Shortage
from labswarm.planning.students import Arrivals, Lab

HOUR_S, DAY_S = 3600.0, 86_400.0
MONDAY = 1_799_625_600.0
"""2027-01-11T00:00Z. Epoch seconds, as all times here."""
STARTS = LogNormal(190, 240)


@dataclass(frozen=True)
class Scenario:
    """A span of time with its labs. `says` is its line in the table."""

    name: str
    says: str
    labs: tuple[Lab, ...]
    arrivals: Arrivals = field(default_factory=lambda: Arrivals(within_s=600))
    times: Distributions = field(default_factory=lambda: Distributions(STARTS))
    begins: float = MONDAY
    ends: float = MONDAY + 7 * DAY_S

    @property
    def most_students(self) -> int:
        """The students of the largest lab."""
        return max(lab.students for lab in self.labs)


def lab(
    day: int, hour: float, lasts_h: float, students: int, name: str, *, booked: bool = True
) -> Lab:
    """A lab on a day (Monday is 0) at an hour, UTC."""
    starts = MONDAY + day * DAY_S + hour * HOUR_S
    return Lab(Booking(name, starts, starts + lasts_h * HOUR_S, students), students, booked)


def _one_day(name: str, says: str, one: Lab, **changed: Any) -> Scenario:
    """A scenario of one lab, and the day around it."""
    day = Scenario(name, says, (one,), begins=MONDAY + DAY_S, ends=MONDAY + 2 * DAY_S)
    return replace(day, **changed)


WEEK = (
    lab(1, 10, 2, 120, "Physics"),
    lab(2, 14, 2, 80, "Statistics"),
    lab(4, 8, 2, 60, "Chemistry"),
)
NO_SPOT = Shortage(MONDAY + DAY_S + 13 * HOUR_S, MONDAY + DAY_S + 16 * HOUR_S)
ZONE = Shortage(MONDAY, MONDAY + 7 * DAY_S, zones_left=2)
SCENARIOS = (
    Scenario("week", "a week of three lectures: 120, 80 and 60 students", WEEK),
    _one_day("class", "350 students in one lab", lab(1, 14, 2, 350, "Programming")),
    _one_day(
        "quick class", "120 booked students within 5 minutes", lab(1, 14, 2, 120, "Physics"),
        arrivals=Arrivals(within_s=300),
    ),
    _one_day(
        "unbooked", "250 students without a booking, within 10 minutes",
        lab(1, 14, 2, 250, "Guests", booked=False),
    ),
    _one_day(
        "unbooked class", "120 students without a booking, within 10 minutes",
        lab(1, 14, 2, 120, "Guests", booked=False),
    ),
    _one_day(
        "exam", "an exam of 200 students within 2 minutes", lab(1, 9, 3, 200, "Exam"),
        arrivals=Arrivals(within_s=120),
    ),
    _one_day(
        "losses", "120 students, 10 % of the spot nodes lost per hour",
        lab(1, 14, 2, 120, "Physics"), times=Distributions(STARTS, spot_losses_per_hour=0.1),
    ),
    Scenario(
        "holiday", "a week without a class, then 100 students on Monday",
        (lab(7, 10, 2, 100, "Physics"),), ends=MONDAY + 8 * DAY_S,
    ),
    _one_day(
        "shortage", "120 students, and no spot capacity in one of three zones",
        lab(1, 14, 2, 120, "Physics"), times=Distributions(STARTS, shortages=(ZONE,)),
    ),
    _one_day(
        "no spot", "120 students, and no spot capacity from an hour before the lab to its end",
        lab(1, 14, 2, 120, "Physics"), times=Distributions(STARTS, shortages=(NO_SPOT,)),
    ),
)  # fmt: skip
