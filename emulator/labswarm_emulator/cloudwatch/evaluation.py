"""From an alarm's datapoints to its state and the reason AWS gives for it; nothing is done.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
"""The comparisons that breach a threshold, and AWS's words for them."""

MISSING = {
    "missing": None,
    "ignore": None,
    "breaching": "Breaching",
    "notBreaching": "NonBreaching",
}
"""The values of TreatMissingData, and the word for each in an alarm's reason."""

MORE = 2
"""How many datapoints more than EvaluationPeriods are looked at. AWS says that the number depends,
and its examples look at 5 for 3 periods of 5 minutes."""


@dataclass(frozen=True)
class Datapoint:
    """A metric's statistic over the period that begins `at` (epoch seconds), of `samples`."""

    at: float
    value: float
    samples: float


@dataclass(frozen=True)
class Definition:
    """The fields of an alarm that decide its state."""

    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int | None = None
    missing: str = "missing"

    @property
    def range(self) -> int:
        """Of how many periods `evaluate` wants to know."""
        return self.evaluation_periods + MORE

    def breached_by(self, value: float) -> bool:
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """A state, why, and the datapoints it rests on (newest first)."""

    state: str
    reason: str
    evaluated: Sequence[Datapoint]


def evaluate(alarm: Definition, recent: Sequence[Datapoint | None]) -> Verdict | None:
    """The state by the datapoints of the evaluation range, oldest first; None keeps what it is.

    Missing ones stand in only as far as there are not as many real ones as EvaluationPeriods.
    """
    real = [point for point in reversed(recent) if point is not None]
    evaluated = real[: alarm.evaluation_periods]
    filled = alarm.evaluation_periods - len(evaluated)
    to_alarm = alarm.datapoints_to_alarm or alarm.evaluation_periods
    breaching = sum(alarm.breached_by(point.value) for point in evaluated)
    treated = MISSING[alarm.missing]
    if breaching + (filled if treated == "Breaching" else 0) >= to_alarm:
        state = ALARM
    elif not filled or treated or breaching < len(evaluated):
        state = OK
    # From here on nothing is known but, at most, too few datapoints that all breach.
    elif alarm.missing == "ignore":
        return None
    elif _oldest(recent) >= to_alarm:
        state = ALARM
    else:
        unknown = f"{filled} {_of(filled, 'datapoint was', 'datapoints were')} unknown"
        return Verdict(INSUFFICIENT_DATA, f"Insufficient Data: {unknown}.", evaluated)
    return Verdict(state, _reason(alarm, state, evaluated, filled), evaluated)


def _oldest(recent: Sequence[Datapoint | None]) -> int:
    """How many periods ago the oldest datapoint's began; 0 where there is none."""
    return max((len(recent) - n for n, point in enumerate(recent) if point is not None), default=0)


def _reason(alarm: Definition, state: str, evaluated: Sequence[Datapoint], filled: int) -> str:
    crossed = state == ALARM
    shown = [point for point in evaluated if alarm.breached_by(point.value) == crossed]
    periods, n = alarm.evaluation_periods, len(shown)
    transition = ""
    if shown:
        if alarm.datapoints_to_alarm:
            counted = f"{n} out of the last {periods} datapoints"
            transition = _transition(alarm.datapoints_to_alarm, periods, crossed)
        else:
            counted = f"{n} {_of(n, 'datapoint', 'datapoints')}"
        listed = ", ".join(f"{point.value} ({_when(point.at)})" for point in shown)
        was = _of(n, "was", "were") + ("" if crossed else " not")
        words = COMPARISONS[alarm.comparison][1]
        reason = f"{counted} [{listed}] {was} {words} the threshold ({alarm.threshold})"
    else:
        n = len(evaluated)
        received = f"{n or 'no'} {_of(n, 'datapoint was', 'datapoints were')} received"
        reason = f"{received} for {periods} {_of(periods, 'period', 'periods')}"
    if filled and MISSING[alarm.missing]:
        were = _of(filled, "datapoint was", "datapoints were")
        reason += f" and {filled} missing {were} treated as [{MISSING[alarm.missing]}]"
    return f"Threshold Crossed: {reason}{transition}."


def _transition(to_alarm: int, periods: int, crossed: bool) -> str:
    least = to_alarm if crossed else periods - to_alarm + 1
    which = "OK -> ALARM" if crossed else "ALARM -> OK"
    return f" (minimum {least} {_of(least, 'datapoint', 'datapoints')} for {which} transition)"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S}"


def _of(number: int, one: str, more: str) -> str:
    return one if number == 1 else more
