"""The labs of groups of students, as the page for instructors gives them to the hub."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from labswarm.errors import BadInput
from labswarm.fields import ANY_VERSION, Fields

WARM_UP_S = 180
"""How long before the bell the servers of a class start (seconds), and their seats are needed."""
AROUND_S = 86_400
"""How far ahead and back the hub knows the labs (seconds): that long it can do without the page,
and as long runs a server at most."""


@dataclass(frozen=True)
class GroupLab:
    """A lab of the hub's `group` from `starts` to `ends` (epoch seconds). `booking` is the id of
    its booking, and `by` the person who made that."""

    booking: str
    title: str
    group: str
    starts: float
    ends: float
    exam: bool
    by: str

    @property
    def key(self) -> str:
        """A name of this lab alone, also as the name of a folder."""
        return f"{self.booking}-{datetime.fromtimestamp(self.starts, UTC):%Y%m%dT%H%M}"


def written(labs: Iterable[GroupLab]) -> str:
    """Return the labs as `parsed` reads them."""
    return json.dumps({"version": 1, "labs": [asdict(lab) for lab in labs]})


def parsed(text: str) -> tuple[GroupLab, ...]:
    """Read what `written` wrote, here or in another version. Raises BadInput."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise BadInput("labs", f"is no JSON ({error})") from error
    fields = Fields(values, ANY_VERSION, of="labs")
    return tuple(
        GroupLab(
            booking=lab.text("booking"),
            title=lab.text("title"),
            group=lab.text("group"),
            starts=lab.time("starts"),
            ends=lab.time("ends"),
            exam=lab.flag("exam", default=False),
            by=lab.text("by"),
        )
        for lab in fields.listed("labs", ANY_VERSION)
    )


def key_of_labs(token: str, cluster: str) -> str:
    """Return the key with which the hub reads the labs of a cluster; `token` is the page's own."""
    return hmac.new(token.encode(), f"labs {cluster}".encode(), hashlib.sha256).hexdigest()
