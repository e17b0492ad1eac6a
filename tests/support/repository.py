"""The repository's files and the shell commands in its docs."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def shell_lines(document: Path) -> list[str]:
    """The commands in a page's `sh` blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", document.read_text(), flags=re.DOTALL)
    lines = (line.partition("#")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]
