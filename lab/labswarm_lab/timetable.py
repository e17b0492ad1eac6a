"""`labswarm lab timetable`: the department's calendar, as the cluster's description names it."""

import time
from datetime import datetime
from pathlib import Path

import click

from labswarm.errors import BadInput
from labswarm.lab_hours.timetable import read_timetable
from labswarm_lab import ground
from labswarm_lab.lab import Aws, Lab
from labswarm_operator.refusal import Refusal

# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
MOST_BYTES = 8192


def book(lab: Lab, file: Path) -> None:
    """Have the cluster go by the feed in `file`; prints its labs, and what is wrong with it.

    Raises Refusal when the file is none, or too large for a parameter, or the lab is not up.
    """
    aws = Aws(lab.running.emulator)
    feed = file.read_bytes()
    if len(feed) > MOST_BYTES:
        raise Refusal(
            f"{file} has {len(feed)} bytes and a parameter takes {MOST_BYTES}; "
            "give a shorter one, or name an https URL in the cluster's description"
        )
    try:
        text = feed.decode()
        read = read_timetable(text, lab.cluster, time.time())
    except UnicodeDecodeError as error:
        raise Refusal(f"{file} is no UTF-8 text: {error}") from error
    except BadInput as error:
        raise Refusal(f"{file}: {error}") from error
    ground.name_timetable(aws, lab.cluster, text)
    for booking in read.bookings:
        starts = datetime.fromtimestamp(booking.starts).astimezone()
        ends = datetime.fromtimestamp(booking.ends).astimezone()
        click.echo(f"{starts:%a %d %b %H:%M}-{ends:%H:%M}  {booking.seats} seats  {booking.name}")
    for problem in read.problems:
        click.echo(f"left out: {problem}")
    if not read.bookings:
        click.echo("no lab within eight days")
