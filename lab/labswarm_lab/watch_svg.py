"""`labswarm lab watch --svg`: one look at the lab as a picture, for a page or a report."""

import io
import re
from pathlib import Path

from rich.console import Console

from labswarm_lab.watch import Frame, draw
from labswarm_operator.refusal import Refusal

COLUMNS, LINES = 120, 28
# The fonts that it would fetch from another site; a picture in a page cannot, nor is it to.
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def draw_to(file: Path, frame: Frame) -> None:
    """Write the frame as a terminal would show it. Raises Refusal when the file cannot be."""
    console = Console(
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        width=COLUMNS,
        height=LINES,
        highlight=False,
    )
    console.print(draw(frame, LINES))
    picture = console.export_svg(title="labswarm lab watch", unique_id="watch")
    try:
        file.write_text(_FONTS.sub("", picture), encoding="utf-8")
    except OSError as error:
        raise Refusal(
            f"--svg {file}: {error.strerror}. Choose a file in an existing folder."
        ) from error
