"""The rules of a cluster that is ready for its next labs: from facts to findings."""

from collections.abc import Iterator

from labswarm.lab_hours.timetables import READ_EVERY_S
from labswarm.names import app_name
from labswarm.planning.words import duration
from labswarm.readiness.account_rules import Finding
from labswarm.readiness.facts import Readiness
from labswarm.snapshot import STALE_AFTER_S

DAY_S = 86_400
CERTIFICATE_S = 14 * DAY_S
"""A certificate that ends earlier than this is a finding (seconds)."""
LEAST_SCORE = 4
"""Below this placement score a request for spot instances is unlikely to succeed. AWS says only
that 10 is highly likely, and that a low one is not:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-sps-works.html"""


def diagnose(facts: Readiness) -> list[Finding]:
    """Return what is wrong with a cluster before its next labs; none if nothing is."""
    return [
        *_labs(facts),
        *_timetable(facts),
        *_hub(facts),
        *_image(facts),
        *_homes(facts),
        *_capacity(facts),
        *_certificate(facts),
        *_alarms(facts),
    ]


def _labs(facts: Readiness) -> Iterator[Finding]:
    answer = facts.answer
    if answer is not None and answer.verdict != "yes":
        names = ", ".join(dict.fromkeys(lab.name for lab in answer.labs))
        remedy = " ".join(answer.remedies) or "Look at the plan: labswarm plan --aws --cluster NAME"
        yield Finding(f"labs {names}", answer.headline, remedy)


def _timetable(facts: Readiness) -> Iterator[Finding]:
    for problem in facts.problems:
        yield Finding(
            "timetable", problem, "Correct the event: docs/reference/lab-hours.md#problems"
        )
    if facts.fed is not None and facts.now - facts.fed > READ_EVERY_S + 3600:
        yield Finding(
            "timetable",
            f"It was last read {duration(facts.now - facts.fed)} ago."
            if facts.fed
            else "It has never been read.",
            f"Look for `timetable` in the log of {app_name('decide-nodes')}: the address may have"
            " moved.",
        )


def _hub(facts: Readiness) -> Iterator[Finding]:
    if facts.snapshot_at is None:
        said = "It has never sent a snapshot of the Swarm, so no size is decided."
    elif facts.now - facts.snapshot_at > STALE_AFTER_S:
        age = duration(facts.now - facts.snapshot_at)
        said = f"Its last snapshot of the Swarm is {age} old, so no size is decided."
    else:
        return
    yield Finding("hub", said, "Open docs/how-to/alarms.md#labhoursundecided")


def _image(facts: Readiness) -> Iterator[Finding]:
    for image, state in facts.images.items():
        if state != "available":
            yield Finding(
                f"image {image}",
                f"The group launches from it, and it is {state or 'gone'}: no worker can start.",
                "Build one (packer build), and roll it: labswarm roll AMI --aws --cluster NAME",
            )


def _homes(facts: Readiness) -> Iterator[Finding]:
    for name, state in facts.homes.items():
        if state != "available":
            yield Finding(
                f"homes {name}",
                f"It is {state}, so workers cannot mount the students' homes.",
                "Look at it in EFS; if it is gone, apply the cluster's Terraform stack again.",
            )


def _capacity(facts: Readiness) -> Iterator[Finding]:
    if facts.score is not None and facts.score < LEAST_SCORE:
        yield Finding(
            "spot capacity",
            f"EC2 gives {facts.nodes} spot instances a placement score of {facts.score} of 10.",
            "Add instance types to the cluster. What spot refuses to a booked lab is bought on "
            "demand: see that the on-demand quota is large enough.",
        )


def _certificate(facts: Readiness) -> Iterator[Finding]:
    seen = facts.certificate
    remedy = (
        "Look at labswarm-chef-server.timer on the Chef Server, which renews it: "
        "packer/chef-server/README.md"
    )
    if seen is None:
        return
    if seen.ends_at is None:
        yield Finding("Chef Server", f"Its certificate is not trusted: {seen.untrusted}.", remedy)
    elif seen.ends_at - facts.now < CERTIFICATE_S:
        left_s = seen.ends_at - facts.now
        ends = f"ends in {left_s / DAY_S:.0f} days" if left_s > 0 else "has ended"
        yield Finding(
            "Chef Server", f"Its certificate {ends}; then no worker gets its configuration.", remedy
        )


def _alarms(facts: Readiness) -> Iterator[Finding]:
    for alarm in facts.alarms_on:
        page = alarm.removeprefix(app_name("")).lower()
        yield Finding(f"alarm {alarm}", "It is on.", f"Open docs/how-to/alarms.md#{page}")
