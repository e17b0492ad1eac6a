"""The page on a cluster's description names every field that is read."""

from dataclasses import fields
from pathlib import Path

from labswarm.cluster import Chef, Cluster

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/cluster.md"


def test_every_field_of_a_description_is_on_its_page() -> None:
    page = PAGE.read_text()
    missing = [
        f.name for kind in (Cluster, Chef) for f in fields(kind) if f"`{f.name}`" not in page
    ]
    assert missing == []
