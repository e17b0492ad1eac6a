"""Sample events, filled in from a lab."""

import json
from pathlib import Path

import pytest

from labswarm.commands.started import AgentStarted
from labswarm.lifecycle.events import parse, parse_ended
from labswarm_lab.replay import SAMPLE_INSTANCE, Fill, filled, names_instance, read_event
from labswarm_operator.refusal import Refusal

EVENTS = sorted((Path(__file__).resolve().parents[2] / "events").glob("*.json"))
BUS_EVENTS = [path for path in EVENTS if path.stem != "test_notification"]
FILL = Fill("phys", "i-00000000000000abc", "labswarm-phys-workers", "arn:of-the-group")


@pytest.mark.parametrize("path", BUS_EVENTS, ids=lambda p: p.stem)
def test_every_sample_is_filled_in_and_nothing_of_the_sample_is_left(path: Path) -> None:
    sample = read_event(path)

    event = filled(sample, FILL)

    text = json.dumps(event)
    assert SAMPLE_INSTANCE not in text
    assert "labswarm-lab-workers" not in text
    assert event["id"] != sample["id"]
    assert event["time"] != sample["time"]
    assert event["detail-type"] == sample["detail-type"]
    assert set(event["detail"]) == set(sample["detail"])
    if names_instance(sample):
        assert FILL.instance_id in text


@pytest.mark.parametrize(
    "path", [path for path in BUS_EVENTS if names_instance(read_event(path))], ids=lambda p: p.stem
)
def test_a_filled_in_sample_is_an_event_that_the_app_accepts(path: Path) -> None:
    event = filled(read_event(path), FILL)
    if path.stem == "execution_failed":
        given = parse_ended(event).given
        assert isinstance(given, dict)
        event = given
    read = AgentStarted.parse(event) if path.stem == "agent_started" else parse(event)
    assert getattr(read, "instance_id", None) == FILL.instance_id, read


def test_a_cluster_and_a_group_of_ones_own_stay() -> None:
    event = {"source": "s", "detail-type": "t", "detail": {"cluster": "chem"}, "resources": ["x"]}
    replayed = filled(event, FILL)
    assert (replayed["detail"], replayed["resources"]) == ({"cluster": "chem"}, ["x"])
    sample = {**event, "detail": {"cluster": "lab"}}
    assert filled(sample, FILL)["detail"] == {"cluster": "phys"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "lacks source, detail-type, detail,"),
        ('{"source": "s", "detail": {}}', "lacks detail-type,"),
    ],
)
def test_a_file_that_is_no_event_of_a_bus_is_refused_by_name(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(Refusal) as refused:
        read_event(file)
    assert str(file) in str(refused.value)
    assert said in str(refused.value)


def test_a_notification_of_auto_scaling_alone_is_carried_by_no_bus() -> None:
    (sample,) = set(EVENTS) - set(BUS_EVENTS)
    with pytest.raises(Refusal, match="EventBridge needs them"):
        read_event(sample)
