"""The pictures of docs/images show the lab in the words that the code prints today."""

import json
import re
from pathlib import Path

from tests.support.pictures import IMAGES, PLAN, RECORDING, draw_all

ROOT = IMAGES.parents[1]


def test_each_picture_is_drawn_by_the_code_of_today(tmp_path: Path) -> None:
    for drawn in draw_all(tmp_path):
        kept = (IMAGES / drawn.name).read_text(encoding="utf-8")
        assert drawn.read_text(encoding="utf-8") == kept, f"{drawn.name}: run `make pictures`"


def test_each_picture_of_the_documentation_is_recorded_or_planned() -> None:
    recorded = {f"{name}.svg" for name in json.loads(RECORDING.read_text(encoding="utf-8"))}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        name
        for page in pages
        for name in re.findall(r"images/([\w-]+\.svg)", page.read_text(encoding="utf-8"))
    }
    recorded.add(f"{PLAN}.svg")
    assert shown == recorded == {picture.name for picture in IMAGES.glob("*.svg")}
