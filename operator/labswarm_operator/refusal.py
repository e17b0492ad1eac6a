"""The two ways in which a command of the lab ends badly, and their exit codes."""


class Refusal(Exception):
    """What was asked for cannot be done; the message says what to do. Nothing changed; exit 2."""


class Failure(Exception):
    """What was begun did not succeed; the message says what was seen. Exit 1."""
