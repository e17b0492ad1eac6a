"""The prices of a node, from the table of list prices (terraform-base/prices)."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from labswarm.planning.cluster import Prices
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

MONTH_H = 730
VOLUME_GIB = 40
"""A worker's volume by the cluster stack's default."""
_LIKE = "m7i.large"
"""Where no spot price of a type was seen, its share of the list price is taken as this one's."""


def node_prices(region: str, instance_type: str) -> Prices:
    """Return the prices of a node of this type.

    Raises Refusal for a region or type without a price.
    """
    table = _table()
    regions = table["regions"]
    if region not in regions:
        raise Refusal(f"--region: {unknown('price list of the region', region, sorted(regions))}")
    listed = regions[region]
    if f"instance:{instance_type}" not in listed:
        raise Refusal(
            f"--type: {unknown(f'price in {region} of the type', instance_type, types(region))}"
        )
    on_demand, like = listed[f"instance:{instance_type}"], listed[f"instance:{_LIKE}"]
    seen = listed.get(f"spot:{instance_type}")
    share = listed[f"spot:{_LIKE}"]["usd"] / like["usd"]
    return Prices(
        on_demand=on_demand["usd"],
        spot=seen["usd"] if seen else on_demand["usd"] * share,
        volume=listed["ebs_gp3"]["usd"] * VOLUME_GIB / MONTH_H,
        region=region,
        date=table["sources"][on_demand["source"]]["date"],
        spot_source="seen once, spot prices change by the hour"
        if seen
        else f"taken as {_LIKE}'s share of the list price, {share:.0%}",
    )


def types(region: str) -> list[str]:
    """The instance types that have a price in this region."""
    listed = _table()["regions"][region]
    return sorted(item.partition(":")[2] for item in listed if item.startswith("instance:"))


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads((files(__package__) / "list-prices.json").read_text())
    return table
