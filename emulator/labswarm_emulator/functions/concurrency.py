"""How many events run at once: of one function, and of all functions of the account.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moto.awslambda.models import LambdaFunction, lambda_backends

MOTO_QUOTA = "MOTO_LAMBDA_CONCURRENCY_QUOTA"
"""moto's PutFunctionConcurrency reads the account's limit from this variable."""


class TooManyRequests(Exception):
    """The function's own concurrency, or the account's, is in use; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.")
        self.reason = reason


class Concurrency:
    """Counts the events that run."""

    def __init__(self, limit: Callable[[], int]) -> None:
        """`limit` returns the account's, which may change."""
        self._limit = limit
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()

    @contextmanager
    def taken(self, function: LambdaFunction) -> Iterator[None]:
        """Have a place for one event of the function. Raises TooManyRequests when there is none."""
        name = function.function_name
        with self._lock:
            self._check(function)
            self._running[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[name] -= 1

    def _check(self, function: LambdaFunction) -> None:
        reserved = reserved_of(function)
        if reserved is not None:
            if self._running[function.function_name] >= reserved:
                raise TooManyRequests("ReservedFunctionConcurrentInvocationLimitExceeded")
            return
        others = {
            other.function_name: reserved_of(other)
            for other in lambda_backends[function.account_id][function.region].list_functions()
        }
        kept = sum(own for own in others.values() if own is not None)
        shared = sum(n for name, n in self._running.items() if others.get(name) is None)
        if shared >= self._limit() - kept:
            raise TooManyRequests("ConcurrentInvocationLimitExceeded")


def reserved_of(function: LambdaFunction) -> int | None:
    """The concurrency that is reserved for a function; None: it shares the account's."""
    reserved = function.reserved_concurrency
    return None if reserved is None else int(reserved)
