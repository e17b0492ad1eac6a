"""Read from chef-client's output why a run failed.

chef-client writes all of its output to standard output, FATAL lines too. It frames what failed:
https://github.com/chef/chef/blob/main/lib/chef/formatters/error_descriptor.rb
"""

import re

_LAST_LINES = 5
_SECTION_LINES = 3
_LONGEST = 2000
"""How many characters of a failure an error carries: more than a screen helps nobody at night."""

_FRAME = re.compile(
    r"^[ \t]*={20,}\n[ \t]*(?P<title>\S.*)\n[ \t]*={20,}\n"
    r"(?:\s*\n)?[ \t]*(?P<heading>\S.*)\n[ \t]*-+\n(?P<text>(?:[ \t]*\S.*\n?)*)",
    re.MULTILINE,
)
# Chef's request for a bug report stands between the failure and the end of the output.
_ADVICE = re.compile(r"FATAL: (-+$|Stacktrace dumped|please provide the contents)", re.IGNORECASE)


def why_it_failed(output: str) -> str:
    """Return in one line what failed, the error, and the end of the output.

    The failure is the resource, recipe or request that chef-client names first: with a custom
    resource that is the innermost one. Without any output it says so.
    """
    lines = [line.strip() for line in output.splitlines()]
    last = [line for line in lines if line and not _ADVICE.search(line)][-_LAST_LINES:]
    summary = " / ".join([*_framed(output), *last])
    if not summary:
        return "it wrote nothing"
    return summary if len(summary) <= _LONGEST else f"{summary[: _LONGEST - 1]}…"


def _framed(output: str) -> list[str]:
    found = _FRAME.search(output)
    if found is None:
        return []
    text = [line.strip() for line in found["text"].splitlines()][:_SECTION_LINES]
    return [f"{found['title'].strip()}: {found['heading'].strip()}", *text]
