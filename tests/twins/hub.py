"""The hub in memory: the twin of JupyterHub's API."""

from collections.abc import Callable

from labswarm.errors import Gone, Permanent, Transient
from labswarm.notices import Message, Notice
from labswarm_node.hub import Running

Act = Callable[[str, str], None]
"""Acts on a user's server, by user and server name."""


def _nothing(user: str, server: str) -> None:
    """Do nothing: the twin is used without a Swarm."""


class HubTwin:
    """Implements labswarm_node.hub.Hub for these users.

    It calls `spawn` and `end` when a server really starts and ends. That is at once, or with `slow`
    at `finish_starts` and `finish_stops`.
    """

    def __init__(
        self, users: frozenset[str], spawn: Act = _nothing, end: Act = _nothing, slow: bool = False
    ) -> None:
        self.slow = slow
        self.down = False
        """Whether it does not answer at all."""
        self.down_for: set[str] = set()
        """Users whose requests it does not answer."""
        self.without_notices: set[str] = set()
        """Users whose images have no labswarm_notice."""
        self.notices: dict[tuple[str, str], Notice] = {}
        """The last notice of each running server."""
        self.messages: dict[tuple[str, str], Message] = {}
        """The last message to each running server."""
        self.saving: set[tuple[str, str]] = set()
        """The servers with a page that has not saved yet."""
        self.asked: list[tuple[str, str, str]] = []
        self._users = users
        self._spawn = spawn
        self._end = end
        self._states: dict[tuple[str, str], str] = {}

    def running(self, user: str, server: str) -> Running:
        if self.down:
            raise Transient("the hub does not answer")
        match self._states.get((user, server)):
            case None:
                return "absent"
            case "ready":
                return "ready"
        return "pending"

    def servers(self) -> frozenset[tuple[str, str]]:
        if self.down:
            raise Transient("the hub does not answer")
        return frozenset(self._states)

    def stop(self, user: str, server: str) -> None:
        self.asked.append(("stop", user, server))
        # JupyterHub refuses to stop what still starts.
        if self._states.get((user, server)) == "ready":
            self._states[user, server] = "stop"
            if not self.slow:
                self.finish_stops()

    def start(self, user: str, server: str) -> None:
        self.asked.append(("start", user, server))
        if user in self.down_for:
            raise Transient("the hub does not answer")
        if user not in self._users:
            raise Permanent(f"the hub answers POST for {user!r} with 404")
        if self._states.get((user, server)) == "stop":
            raise Transient(f"the hub does not start {user}'s server {server!r} now")
        if (user, server) not in self._states:
            self._states[user, server] = "spawn"
            self._spawn(user, server)
            if not self.slow:
                self.finish_starts()

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        self.asked.append(("notify", user, server))
        if user in self.down_for:
            raise Transient("the hub does not answer")
        if self._states.get((user, server)) != "ready" or user in self.without_notices:
            raise Gone(f"{user}'s server {server!r} takes no notices")
        if isinstance(notice, Message):
            self.messages[user, server] = notice
        else:
            self.notices[user, server] = notice

    def is_saving(self, user: str, server: str) -> bool:
        if user in self.down_for:
            raise Transient("the hub does not answer")
        if self._states.get((user, server)) != "ready" or user in self.without_notices:
            raise Gone(f"{user}'s server {server!r} takes no notices")
        return (user, server) in self.saving

    def find_ended(self, user: str, server: str) -> None:
        """Its task is there no more, and a poll of the hub finds that."""
        del self._states[user, server]
        self.notices.pop((user, server), None)
        self._end(user, server)

    def lose(self, user: str, server: str) -> None:
        """It does not know the server any more, which runs on."""
        del self._states[user, server]

    def forget(self, user: str) -> None:
        """An admin deletes a user."""
        self._users -= {user}

    def restart(self) -> None:
        """Restart the hub: it forgets the starts that it was working on."""
        self._states = {key: state for key, state in self._states.items() if state != "spawn"}

    def finish_starts(self) -> None:
        """Every server that starts is ready."""
        for key, state in self._states.items():
            if state == "spawn":
                self._states[key] = "ready"

    def finish_stops(self) -> None:
        """Every server that stops has ended."""
        for user, server in [key for key, state in self._states.items() if state == "stop"]:
            del self._states[user, server]
            self.notices.pop((user, server), None)
            self._end(user, server)
