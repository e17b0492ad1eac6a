"""The pages of a class that runs: see it, help a student, extend or end it, write to it."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from markupsafe import Markup
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, authenticated

from labswarm.errors import BadInput, Gone, Permanent, Transient
from labswarm.notices import LONGEST_MESSAGE, Message
from labswarm_labs.hub import Hub
from labswarm_labs.live import STATES
from labswarm_labs.pages import Page, Parts, in_thread
from labswarm_labs.service import Changed, log

EXTEND_MIN = (15, 30, 60)
"""The minutes by which a class can be extended."""
_LONGEST_STREAM = timedelta(minutes=10)
"""After that the browser connects again, and the person's rights are asked for again."""


class ClassPage(Page):
    """A page of one group's class; the person teaches the group."""

    async def taught(self) -> str:
        """Return the group of the request. Raises HTTPError for one that the person may not see."""
        group = self.get_argument("group", "")
        if group not in await self.groups():
            raise HTTPError(403, "This is not a group that you teach.")
        return group

    @property
    def own_hub(self) -> Hub:
        """The hub with the person's own rights."""
        return self.parts.hub.of_person(self.hub_auth.get_token(self))

    def done(self, group: str, sentence: str) -> None:
        """Go back to the class, and show the sentence there."""
        where = f"{self.hub_auth.base_url}live?group={quote(group, safe='')}"
        self.redirect(f"{where}&said={quote(sentence, safe='')}", status=303)


class Live(ClassPage):
    """The class as a page, which follows it by itself."""

    @authenticated
    async def get(self) -> None:
        group = await self.taught()
        live = await self.parts.classes.look(group)
        self.page(
            "live.html",
            group=group,
            live=live,
            states=STATES,
            # In a script nothing is escaped but its end.
            live_json=Markup(live.to_json().replace("<", "\\u003c")),  # noqa: S704
            said=self.get_argument("said", ""),
            minutes=EXTEND_MIN,
            longest=LONGEST_MESSAGE,
            can_write=self.parts.classes.can_write,
        )


class LiveEvents(ClassPage):
    """The class as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    @authenticated
    async def get(self) -> None:
        group = await self.taught()
        self.set_header("Content-Type", "text/event-stream")
        # Proxies would keep the events back otherwise.
        self.set_header("X-Accel-Buffering", "no")
        until = datetime.now(UTC) + _LONGEST_STREAM
        try:
            async for text in self.parts.watching.watch(group):
                self.write(f"data: {text}\n\n" if text else ": nothing new\n\n")
                await self.flush()
                if datetime.now(UTC) > until:
                    return
        except StreamClosedError:
            return


class OpenServer(ClassPage):
    """Opens a student's server, and logs that."""

    @authenticated
    async def post(self) -> None:
        group = await self.taught()
        student = await self._member(group)
        log.info("%s opens the server of %s", self.person.name, student)
        self.redirect(f"/user/{quote(student, safe='@~')}/", status=303)

    async def _member(self, group: str) -> str:
        student = self.get_body_argument("student", "")
        if student not in await self.parts.hub.members(group):
            raise HTTPError(403, "This student is not in the group.")
        return student


class RestartServer(OpenServer):
    """Stops a student's server and starts it again."""

    @authenticated
    async def post(self) -> None:
        group = await self.taught()
        student = await self._member(group)
        log.info("%s restarts the server of %s", self.person.name, student)
        try:
            await self.own_hub.restart(student)
        except (Transient, Permanent) as error:
            self.done(group, f"{student}: {error}. Try again in a moment.")
            return
        self.done(group, f"The server of {student} starts again.")


class ChangeClass(ClassPage):
    """Extends the class that runs, raises its seats, or ends it."""

    @authenticated
    async def post(self) -> None:
        group, labs = await self.taught(), self.parts.labs
        what, person = self.get_body_argument("do", ""), self.person.name
        try:
            if what == "extend":
                minutes = _number(self.get_body_argument("minutes", ""), max(EXTEND_MIN))
                await in_thread(lambda: labs.extend(group, minutes, person))
                self.done(group, f"The class has {minutes} minutes more.")
            elif what == "raise":
                seats = _number(self.get_body_argument("seats", ""), 99_999)
                await in_thread(lambda: labs.raise_seats(group, seats, person))
                self.done(group, f"{seats} seats more are booked from the next minute on.")
            elif what == "end":
                await self._end(group)
            else:
                raise HTTPError(400, "Choose to extend, to raise or to end.")
        except (BadInput, Changed, Gone) as refused:
            log.info("%s was refused to %s the class of %s: %s", person, what, group, refused)
            self.done(group, f"Not done. {refused}")

    async def _end(self, group: str) -> None:
        if self.get_body_argument("sure", "") != "yes":
            raise BadInput("sure", "is not ticked; ending a class stops all its servers")
        await in_thread(lambda: self.parts.labs.end(group, self.person.name))
        members = set(await self.parts.hub.members(group))
        users = [str(user["name"]) for user in await self.parts.hub.active()]
        failed = await self.own_hub.stop_all([name for name in users if name in members])
        if failed:
            self.done(group, f"The class is ended. Still there: {', '.join(failed[:10])}.")
            return
        self.done(group, "The class is ended, and its servers stop.")


class WriteToClass(ClassPage):
    """Sends a message to each server of the class."""

    @authenticated
    async def post(self) -> None:
        group = await self.taught()
        try:
            message = Message(self.get_body_argument("text", "", strip=True).replace("\r\n", "\n"))
        except BadInput as bad:
            self.done(group, f"Not sent. {bad}")
            return
        reached, missed = await self.parts.classes.write(group, message)
        log.info(
            "%s wrote to %s (%d servers, %d missed): %s",
            *(self.person.name, group, reached, missed, json.dumps(message.text)),
        )
        also = f" Servers that did not take it: {missed}." if missed else ""
        self.done(group, f"Students who have it: {reached}.{also}")


def handlers(base: str, parts: Parts) -> list[tuple[str, type[ClassPage], dict[str, Parts]]]:
    """Return the addresses of these pages."""
    given = {"parts": parts}
    return [
        (f"{base}live", Live, given),
        (f"{base}live/events", LiveEvents, given),
        (f"{base}live/open", OpenServer, given),
        (f"{base}live/restart", RestartServer, given),
        (f"{base}live/change", ChangeClass, given),
        (f"{base}live/write", WriteToClass, given),
    ]


def _number(text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:9]) <= most:
        raise BadInput("number", f"is {text[:20]!r}; write a whole number from 1 to {most}")
    return int(text)
