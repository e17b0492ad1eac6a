"""What Docker's errors mean here: one table, by HTTP status and by what the message says.

Sources: swarmkit manager/controlapi/node.go and manager/state/store (messages), moby
daemon/cluster/errors.go (states of a node) and errdefs/http_helpers.go (codes to HTTP statuses).
"""

from labswarm.errors import Gone, LabswarmError, Permanent, Transient


class OutOfSequence(Transient):
    """Someone else updated the object since it was read."""


class StaleToken(Transient):
    """The join token is none of the Swarm's any more: it was read before it was rotated."""


# The first line whose status (None: any) and text match decides.
_TABLE: tuple[tuple[int | None, str, type[LabswarmError]], ...] = (
    (None, "update out of sequence", OutOfSequence),  # store.ErrSequenceConflict, 500 or 400
    (None, "is not down and can't be removed", Transient),  # controlapi.RemoveNode
    (None, "invalid join token", Permanent),  # ca.ParseJoinToken
    (None, "valid join token is necessary", StaleToken),  # ca.Server.IssueNodeCertificate, 400
    (None, "invalid checksum digest", Permanent),  # a token whose middle is no digest, 500
    (None, "remote CA does not match fingerprint", Permanent),  # a token of another Swarm
    (None, "already part of a swarm", Permanent),  # errSwarmExists, 503
    (None, "not part of a swarm", Gone),  # errNoSwarm, 503
    (None, "not a swarm manager", Permanent),  # errNoManager, 503
    (None, "participating as a manager", Permanent),  # Cluster.Leave without force, 503
    (None, "Timeout was reached before node joined", Transient),  # errSwarmJoinTimeoutReached, 503
    (None, "manifest unknown", Permanent),  # the registry has no such image
    (404, "pull access denied", Permanent),
    (404, "", Gone),
    (409, "", Transient),
    (429, "", Transient),
)


def engine_error(status: int, message: str) -> LabswarmError:
    """The error of an answer of the Engine API with this status (400 or more)."""
    for known_status, text, error in _TABLE:
        if known_status in (None, status) and text in message:
            return error(message)
    return Transient(message) if status >= 500 else Permanent(message)
