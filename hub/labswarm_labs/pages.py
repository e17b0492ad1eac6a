"""The handlers of the pages. They connect forms, rules and templates, and decide nothing."""

import asyncio
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from jinja2 import Environment
from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, HTTPError, RequestHandler, authenticated

from labswarm.errors import BadInput, LabswarmError
from labswarm.lab_hours.booked_labs import group_labs
from labswarm.lab_hours.bookings import StoredBooking
from labswarm.lab_hours.group_labs import key_of_labs, written
from labswarm_labs import calendar
from labswarm_labs.classes import Classes
from labswarm_labs.forms import REPEATS, Form, copy_of, empty_form, form_of
from labswarm_labs.hub import Hub
from labswarm_labs.people import Person
from labswarm_labs.service import Changed, Labs, log
from labswarm_labs.watching import Watching
from labswarm_operator.refusal import Refusal

T = TypeVar("T")
# A plan is seconds of one core, and a class books one after the other.
_PLANNING = asyncio.Semaphore(1)
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""JupyterHub's own page has scripts and styles in it, without a nonce."""


@dataclass(frozen=True)
class Parts:
    """The parts that the handlers connect."""

    labs: Labs
    hub: Hub
    classes: Classes
    watching: Watching
    auth: HubOAuth
    templates: Environment
    profiles: Sequence[str]


class Page(HubOAuthenticated, RequestHandler):  # type: ignore[misc]  # neither has types
    """A page of a person who is logged in at the hub and may use this service."""

    def initialize(self, parts: Parts) -> None:
        self.parts = parts
        self.hub_auth = parts.auth

    async def prepare(self) -> None:
        # Asks the hub without keeping the others waiting; `current_user` then has the answer.
        await self.hub_auth.get_user(self, sync=False)

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")

    @property
    def person(self) -> Person:
        return Person.of(self.current_user)

    async def groups(self) -> list[str]:
        """The groups that the person may book for."""
        person = self.person
        return sorted(await self.parts.hub.groups() if person.is_admin else person.groups)

    def page(self, name: str, **values: Any) -> None:
        """Answer with a template."""
        self.finish(
            self.parts.templates.get_template(name).render(
                **values,
                user=_user(self.person) if self.current_user else None,
                is_admin=bool(self.current_user) and self.person.is_admin,
                here=self.hub_auth.base_url,
                xsrf_token=self.xsrf_token.decode(),
            )
        )

    def write_error(self, status_code: int, **about: Any) -> None:  # noqa: ARG002  # Tornado's
        error = about.get("exc_info", (None, None, None))[1]
        sentence = self._reason
        if isinstance(error, HTTPError):
            sentence = error.log_message or self._reason
        elif isinstance(error, LabswarmError | Refusal):
            sentence = f"AWS does not answer as it should ({error}). Try again in a minute."
        self.page("problem.html", sentence=sentence)


class Overview(Page):
    """The labs to come, and the bookings with the actions on each."""

    @authenticated
    async def get(self) -> None:
        labs = self.parts.labs
        bookings = await in_thread(labs.bookings)
        upcoming = await in_thread(lambda: labs.upcoming(bookings))
        secret = calendar.feed_name(self.parts.auth.api_token, labs.cluster)
        self.page(
            "overview.html",
            person=self.person,
            bookings=bookings,
            upcoming=upcoming,
            report=await in_thread(labs.ready_report),
            calendar=f"{self.request.protocol}://{self.request.host}"
            f"{self.hub_auth.base_url}calendar/{secret}.ics",
            done=self.get_argument("done", ""),
            groups=await self.groups(),
            now=labs.now(),
        )


class Book(Page):
    """The form of a booking; its plan, once it is filled in; and the booking itself."""

    @authenticated
    async def get(self) -> None:
        form = empty_form()
        name, copied = self.get_argument("id", ""), self.get_argument("copy", "")
        if name or copied:
            try:
                booking = await in_thread(lambda: self.parts.labs.booking(name or copied))
            except BadInput as bad:
                raise HTTPError(404, str(bad).replace("%", "%%")) from bad
            _refuse_foreign_change(self.person, booking)
            now = datetime.fromtimestamp(self.parts.labs.now(), UTC)
            form = form_of(booking) if name else copy_of(booking, now.date())
        await self._show(form)

    @authenticated
    async def post(self) -> None:
        arguments = {name: self.get_body_argument(name, "") for name in self.request.body_arguments}
        person, labs = self.person, self.parts.labs
        try:
            form = Form.of(arguments)
        except BadInput as bad:
            raise HTTPError(400, str(bad).replace("%", "%%")) from bad
        try:
            booking = form.booking(labs.cluster, person.name)
            person.refuse_foreign(booking, await self.groups())
            _refuse_unknown_profile(booking, self.parts.profiles)
            if booking.version:
                before = await in_thread(lambda: labs.booking(booking.id))
                _refuse_foreign_change(person, before)
            await in_thread(lambda: labs.refuse_unfit(booking))
            if arguments.get("confirmed") == "yes":
                await in_thread(lambda: labs.store(booking, person.name))
                self.redirect(f"{self.hub_auth.base_url}?done=booked", status=303)
                return
        except (BadInput, Changed) as bad:
            log.info("%s was refused a booking: %s", person.name, bad)
            self.set_status(409 if isinstance(bad, Changed) else 400)
            await self._show(form, bad)
            return
        async with _PLANNING:
            plan = await in_thread(lambda: labs.plan(booking))
        self.page("plan.html", form=form.values, booking=booking, plan=plan)

    async def _show(self, form: Form, bad: BadInput | Changed | None = None) -> None:
        field = bad.field if isinstance(bad, BadInput) else ""
        self.page(
            "form.html",
            form=form.values,
            field={"start": "date", "end": "ends", "rrule": "until", "exdates": "left_out"}.get(
                field, field
            ),
            sentence=str(bad) if bad else "",
            groups=await self.groups(),
            profiles=self.parts.profiles,
            repeats=REPEATS,
            person=self.person,
        )


class Cancel(Page):
    """The end of a booking."""

    @authenticated
    async def post(self) -> None:
        labs, person = self.parts.labs, self.person
        name, version = self.get_body_argument("id", ""), self.get_body_argument("version", "")
        try:
            booking = await in_thread(lambda: labs.booking(name))
            _refuse_foreign_change(person, booking)
            # The version that the person has seen, which may not be the stored one any more.
            seen = replace(booking, version=int(version) if version.isdecimal() else 0)
            await in_thread(lambda: labs.cancel(seen, person.name))
        except BadInput as bad:
            raise HTTPError(404, str(bad).replace("%", "%%")) from bad
        except Changed as changed:
            raise HTTPError(409, str(changed).replace("%", "%%")) from changed
        self.redirect(f"{self.hub_auth.base_url}?done=cancelled", status=303)


class Calendar(RequestHandler):
    """The feed of the bookings, for everyone who has its address."""

    def initialize(self, parts: Parts) -> None:
        self.parts = parts

    async def get(self, secret: str) -> None:
        labs = self.parts.labs
        expected = calendar.feed_name(self.parts.auth.api_token, labs.cluster)
        if not hmac.compare_digest(secret, expected):
            raise HTTPError(404)
        bookings = await in_thread(labs.bookings)
        self.set_header("Content-Type", "text/calendar; charset=utf-8")
        self.finish(calendar.feed(bookings, labs.cluster, labs.now()))


class GroupLabs(RequestHandler):
    """The labs of groups, for the hub: which of its servers belong to an exam."""

    def initialize(self, parts: Parts) -> None:
        self.parts = parts

    async def get(self) -> None:
        labs = self.parts.labs
        expected = f"labswarm {key_of_labs(self.parts.auth.api_token, labs.cluster)}"
        given = self.request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise HTTPError(403)
        bookings = await in_thread(labs.bookings)
        self.set_header("Content-Type", "application/json")
        self.finish(written(group_labs(bookings, labs.now())))


def application(
    parts: Parts, cookie_secret: bytes, static: str, more: Sequence[tuple[Any, ...]] = ()
) -> Application:
    """Return the pages, and `more` of them, as an application of Tornado."""
    given = {"parts": parts}
    base = parts.auth.base_url
    return Application(
        [
            (base, Overview, given),
            (f"{base}book", Book, given),
            (f"{base}cancel", Cancel, given),
            *more,
            (f"{base}calendar/([0-9a-f]{{32}})\\.ics", Calendar, given),
            (f"{base}groups.json", GroupLabs, given),
            (f"{base}oauth_callback", _Callback, given),
        ],
        cookie_secret=cookie_secret,
        xsrf_cookies=True,
        xsrf_cookie_kwargs={"samesite": "Lax"},
        static_path=static,
        static_url_prefix=f"{base}static/",
    )


class _Callback(HubOAuthCallbackHandler):  # type: ignore[misc]  # has no types
    """The end of the login at the hub."""

    def initialize(self, parts: Parts) -> None:
        self.hub_auth = parts.auth


def _refuse_foreign_change(person: Person, booking: StoredBooking) -> None:
    if not person.may_change(booking):
        raise HTTPError(403, "This booking is of a group that you do not teach.")


def _refuse_unknown_profile(booking: StoredBooking, profiles: Sequence[str]) -> None:
    if booking.profile is not None and booking.profile not in profiles:
        raise BadInput("profile", f"there is no {booking.profile!r}; choose another")


async def in_thread(read: Callable[[], T]) -> T:
    """Make a blocking call without keeping the other pages waiting."""
    return await asyncio.to_thread(read)


def _user(person: Person) -> dict[str, str]:
    """The parts of a user that JupyterHub's page shows."""
    return {"name": person.name, "json_escaped_name": json.dumps(person.name)[1:-1]}
