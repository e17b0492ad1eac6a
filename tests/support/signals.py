"""The signals of a test's own processes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def usual_signals() -> Iterator[None]:
    """Start processes that take SIGINT and SIGHUP as usual.

    A shell has its background processes ignore SIGINT, and nohup has them ignore SIGHUP; their
    children inherit that: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
    """
    # A handler, and not the default: this process is not ended by a hangup either.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: None),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
