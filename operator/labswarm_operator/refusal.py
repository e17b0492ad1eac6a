"""The two errors of a command, and their exit codes."""


class Refusal(Exception):
    """The request cannot be done; the message gives the remedy. Nothing changed; exit 2."""


class Failure(Exception):
    """The work did not succeed; the message gives the reason. Exit 1."""
