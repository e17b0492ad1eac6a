"""`labswarm lab timetable`: book the labs of a calendar file."""

import time
from datetime import datetime
from pathlib import Path

import click

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.groups import AutoScalingGroups
from labswarm.errors import BadInput
from labswarm.lab_hours.bounded import read_bounded
from labswarm.lab_hours.calendar_text import decoded
from labswarm.lab_hours.decide import most_seats
from labswarm.lab_hours.timetable import Ending
from labswarm_lab import ground
from labswarm_lab.lab import Aws, Lab
from labswarm_operator.refusal import Refusal

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
MOST_BYTES = 8192


def book(lab: Lab, file: Path) -> None:
    """Let the cluster follow the feed in `file`; print its labs, and the events that are left out.

    Raises Refusal and changes nothing if the file is no feed, is too large for a parameter or
    holds only events that cannot be booked, or if the lab is not up.
    """
    aws = Aws(lab.running.emulator)
    feed = file.read_bytes()
    if len(feed) > MOST_BYTES:
        raise Refusal(
            f"FILE {file} has {len(feed)} bytes; a parameter holds {MOST_BYTES}. "
            "Give a shorter one, or an https URL in the cluster's description."
        )
    text = decoded(feed)
    try:
        read = read_bounded(text, lab.cluster, time.time(), _most_seats(lab))
    except BadInput as error:
        raise Refusal(f"FILE {file}: {error}") from error
    if read.problems and not (read.endings.keys() & {Ending.BOOKED, Ending.NOT_SOON}):
        raise Refusal("\n".join([f"FILE {file}: no event can be booked", *read.problems]))
    ground.name_timetable(aws, lab.cluster, text)
    for booking in read.bookings:
        starts = datetime.fromtimestamp(booking.starts).astimezone()
        ends = datetime.fromtimestamp(booking.ends).astimezone()
        click.echo(f"{starts:%a %d %b %H:%M}-{ends:%H:%M}  {booking.seats} seats  {booking.name}")
    for warning in read.warnings:
        click.echo(f"booked in part: {warning}")
    for problem in read.problems:
        click.echo(f"left out: {problem}")
    if not read.bookings:
        click.echo("There is no lab within eight days.")


def _most_seats(lab: Lab) -> int | None:
    cluster = SsmClusters(lab.client("ssm")).read_cluster(lab.cluster)
    group = AutoScalingGroups(lab.client("autoscaling")).view(cluster.asg)
    state = DynamoLabHoursStates(lab.client("dynamodb"), TABLE).read_state(lab.cluster)
    return most_seats(cluster, group, state)
