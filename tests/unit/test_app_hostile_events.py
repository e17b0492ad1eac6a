"""Events that are malformed, foreign, stale or hostile change nothing, and are each logged once.

Those of a group of ours fail their execution, so that the last resort ends their wait.
"""

import copy
from typing import Any

import pytest
from tests.support.app_twins import HOSTILE, OWNER
from tests.support.handlers import Context, fresh, load
from tests.twins.groups import TwinGroups
from tests.twins.hooks import TwinHooks
from tests.twins.ledger import MemoryLedger

from labswarm.errors import BadInput
from labswarm.lifecycle.events import cluster_named

pytestmark = pytest.mark.usefixtures("account", "table")


LIFECYCLE_TEXTS = (
    *("source", "detail-type", "time", "detail.AutoScalingGroupName", "detail.LifecycleHookName"),
    *("detail.EC2InstanceId", "detail.LifecycleActionToken", "detail.LifecycleTransition"),
    *("detail.Origin", "detail.Destination"),
)
OPTIONAL = ("detail.LifecycleActionToken", "detail.Origin", "detail.Destination")
NOTICE_TEXTS = ("source", "detail-type", "time", "detail.instance-id", "detail.instance-action")


def changed(sample: str, field: str, value: Any) -> Any:
    """A sample of now with one field changed; without it where the value is `...`."""
    made = copy.deepcopy(fresh(sample))
    *path, name = field.split(".")
    where = made
    for key in path:
        where = where[key]
    if value is ...:
        del where[name]
    else:
        where[name] = value
    return made


CASES: list[tuple[str, Any, str]] = [
    # Malformed.
    ("no object", None, "event"),
    ("a list", [], "event"),
    ("a text", "event", "event"),
    ("empty", {}, "source"),
    *((f"no {f}", changed("launch", f, ...), f) for f in LIFECYCLE_TEXTS if f not in OPTIONAL),
    ("no token, and no instance that waits", changed("launch", "detail.LifecycleActionToken", ...),
     "detail.EC2InstanceId"),
    *((f"no {f} in a notice", changed("spot_interruption", f, ...), f) for f in NOTICE_TEXTS),
    *((f"a number as {f}", changed("launch", f, 7), f) for f in LIFECYCLE_TEXTS),
    *((f"a list as {f}", changed("terminate", f, ["x"]), f) for f in LIFECYCLE_TEXTS),
    ("detail is a list", changed("launch", "detail", []), "detail"),
    ("no time zone", changed("launch", "time", "2026-11-03T13:45:12"), "time"),
    # Of another kind than it says.
    ("a notice in the group's name", changed("spot_interruption", "source", "aws.autoscaling"),
     "detail-type"),
    ("a launch that says it terminates", changed("launch", "detail.LifecycleTransition",
     "autoscaling:EC2_INSTANCE_TERMINATING"), "detail.LifecycleTransition"),
    ("an unknown notice", changed("spot_interruption", "detail-type", "EC2 Maintenance"),
     "detail-type"),
    # Foreign.
    ("a foreign group", changed("launch", "detail.AutoScalingGroupName", "web"),
     "detail.AutoScalingGroupName"),
    ("almost a group of ours", changed("launch", "detail.AutoScalingGroupName",
     "labswarm-lab-workers-2"), "detail.AutoScalingGroupName"),
    ("a foreign instance", fresh("spot_interruption"), "detail.instance-id"),
    ("a test notification", fresh("test_notification"), "Event"),
    # Stale.
    ("an old launch", changed("launch", "time", "2026-11-03T13:45:12Z"), "time"),
    ("an old termination", changed("terminate", "time", "1970-01-01T00:00:00Z"), "time"),
]  # fmt: skip


@pytest.fixture(scope="module")
def app(account: None) -> Any:
    """The function, over a ledger and a group in which nothing is; it keeps nothing of an event."""
    module = load("claim")
    module.CLAIMING._groups = TwinGroups()
    return module


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The lines about events that were not taken: message and field."""
    found = [record.__dict__ for record in caplog.records]
    return [(line["message"], line["field"]) for line in found if "field" in line]


def refused(app: Any, event: Any) -> str:
    """The field for which an event is not claimed, that it changed nothing being made sure of."""
    ledger, hooks = MemoryLedger(), TwinHooks()
    app.CLAIMING._ledger, app.CLAIMING._hooks = ledger, hooks
    try:
        answer = app.handler({"event": event, "execution": OWNER}, Context())
        assert answer["claimed"] is False
        field = ""
    except BadInput as error:
        # A well-formed name of a hook that the group does not have; or of no cluster.
        field = error.field
    assert (ledger._claims, ledger._tombstones) == ({}, {})
    assert (hooks.results, hooks.beats) == ({}, {})
    return field


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize(("event", "field"), [pytest.param(e, f, id=n) for n, e, f in CASES])
def test_a_foreign_event_changes_nothing_and_is_logged_once_with_its_field(
    app: Any, event: Any, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    raised = refused(app, event)

    ((message, named),) = lines(caplog)
    assert message in ("refused a malformed event", "not claimed")
    assert named == field
    fails = message == "refused a malformed event" and cluster_named(event) is not None
    assert raised == (field if fails else "")


@pytest.mark.parametrize(
    ("sample", "field"),
    [("launch", f) for f in LIFECYCLE_TEXTS] + [("spot_interruption", f) for f in NOTICE_TEXTS],
)
def test_a_hostile_text_in_an_events_field_changes_nothing_and_is_logged_once(
    app: Any, sample: str, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    for text in HOSTILE:
        caplog.clear()
        raised = refused(app, changed(sample, field, text))

        assert [named for _, named in lines(caplog)] == [field], repr(text)
        ours = sample == "launch" and field != "detail.AutoScalingGroupName"
        assert raised == (field if ours else "")


def test_an_event_of_a_cluster_without_a_description_is_refused_by_name(
    app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = changed("launch", "detail.AutoScalingGroupName", "labswarm-x-workers")

    assert refused(app, event) == "cluster"
    assert lines(caplog) == [("not set up", "cluster")]
