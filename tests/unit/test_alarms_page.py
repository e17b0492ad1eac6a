"""docs/how-to/alarms.md has a section for each alarm, and each alarm names its section."""

import re
from pathlib import Path

import pytest
from tests.support.machines import RESOURCES

from labswarm.lab_hours.hold import PAUSE_S

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/how-to/alarms.md"
ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
MINUTES = {
    "the last minute": 1,
    "two minutes": 2,
    "five minutes": 5,
    "ten minutes": 10,
    "fifteen minutes": 15,
    "half an hour": 30,
}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
LONGEST = 1024


def test_the_page_has_a_section_for_each_alarm_and_no_other() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / PAGE).read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(ALARMS)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_states_the_time_and_the_effect_on_students(name: str) -> None:
    text = ALARMS[name]["AlarmDescription"]

    assert text.endswith(f" Open {PAGE}#{name.lower()}")
    assert re.search(r"\b(minutes?|hour|in a row)\b", text)
    assert re.search(r"\b(students?|servers?)\b", text)
    assert len(text) <= LONGEST


@pytest.mark.parametrize("name", sorted({*ALARMS} - {"LaunchesHeld"}))
def test_an_alarm_is_raised_after_the_time_that_its_text_states(name: str) -> None:
    alarm = ALARMS[name]
    (minutes,) = {value for words, value in MINUTES.items() if words in alarm["AlarmDescription"]}

    assert alarm["Period"] * alarm["EvaluationPeriods"] == minutes * 60
    assert "DatapointsToAlarm" not in alarm


def test_the_alarm_on_held_launches_stays_on_until_the_next_try_has_ended() -> None:
    alarm = ALARMS["LaunchesHeld"]

    # A function reports each minute, and only while a launch is wanted.
    assert (alarm["Period"], alarm["DatapointsToAlarm"]) == (60, 1)
    assert PAUSE_S < 60 * alarm["EvaluationPeriods"] < 2 * PAUSE_S


@pytest.mark.parametrize("name", ALARMS)
def test_one_occurrence_in_each_period_raises_an_alarm(name: str) -> None:
    alarm = ALARMS[name]

    at_least = "GreaterThanOrEqualToThreshold"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (at_least, 1)
    # An average or a minimum would hide one failure among many calls.
    assert alarm["Statistic"] in ("Sum", "Maximum")
