"""Print each step and its duration on standard error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_console = Console(stderr=True, highlight=False)


def say(text: str, style: str = "") -> None:
    """Print one line on standard error as it is; with colours at a terminal only."""
    _console.print(text, style=style, markup=False, soft_wrap=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show `text` while the body runs, then how long it took, or that it failed."""
    begun = time.monotonic()
    if not _console.is_terminal:
        say(f"  ..  {text}")
    try:
        with _console.status(text):
            yield
    except BaseException:
        say(f"  failed  {text} ({time.monotonic() - begun:.1f} s)", style="red")
        raise
    say(f"  ok  {text} ({time.monotonic() - begun:.1f} s)", style="green")
