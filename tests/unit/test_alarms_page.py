"""docs/how-to/alarms.md has a section for each alarm, and each alarm names its section."""

import re
from pathlib import Path

import pytest
from tests.support.machines import RESOURCES

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/how-to/alarms.md"
ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
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
