"""The pages' templates: JupyterHub's own page, extended."""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader
from jupyterhub._data import DATA_FILES_PATH

from labswarm.lab_hours.booking import Booking
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.planning.words import duration
from labswarm_labs.forms import REPEATS, form_of
from labswarm_labs.service import Upcoming

_HERE = Path(__file__).parent
STATIC = str(_HERE / "static")


def templates(hub_prefix: str = "/hub/", data: str = DATA_FILES_PATH) -> Environment:
    """Return the templates. Those of JupyterHub are under `templates/`, as its own pages have them;
    its styles and scripts come from the hub."""
    hubs = FileSystemLoader([Path(data) / "templates"])
    environment = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader([_HERE / "templates"]), PrefixLoader({"templates": hubs})]
        ),
        autoescape=True,
    )
    environment.globals.update(
        base_url=hub_prefix,
        prefix=hub_prefix.removesuffix("hub/"),
        logout_url=f"{hub_prefix}logout",
        login_url=f"{hub_prefix}login",
        no_spawner_check=True,
        parsed_scopes=(),
        static_url=lambda path, include_version=True: f"{hub_prefix}static/{path}",  # noqa: ARG005
    )
    environment.filters.update(
        duration=duration,
        iso=_iso,
        local=_local,
        repeats=_repeats,
        timetable=_timetable,
        utc=_utc,
    )
    return environment


def _timetable(upcoming: Upcoming) -> list[tuple[Booking, str]]:
    """Return the labs with where each is booked, by their starts."""
    both = [
        *((lab, "here") for lab in upcoming.booked),
        *((lab, "in the department's calendar") for lab in upcoming.feed),
    ]
    return sorted(both, key=lambda pair: (pair[0].starts, pair[0].name))


def _repeats(booking: StoredBooking) -> str:
    """Return how a booking repeats, in words."""
    form = form_of(booking).values
    if booking.rrule is None:
        return "Once"
    without = f", not on {', '.join(booking.exdates)}" if booking.exdates else ""
    return f"{REPEATS[form['repeat']][0]} until {form['until']}{without}"


def _local(epoch_s: float, booking: StoredBooking) -> datetime:
    return datetime.fromtimestamp(epoch_s, booking.zone)


def _iso(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _utc(epoch_s: float) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%a %d %b %H:%M}"
