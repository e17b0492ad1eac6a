#!/usr/bin/env python3
"""Print the cost of an example at AWS's list prices: idle for a month, and for one lab.

    terraform-base/prices/price.py one-cluster --seats 60 --hours 2

The resources come from Terraform: from the output of `terraform show -json` for a plan (--plan), or
as quantities.json keeps it of each example. How much of it is used is assumed there, with the
reasons.
"""

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
MONTH_H = 730
IMAGE_GIB = 20
# Target tracking makes a pair of alarms, for out and for in; with scale-in off perhaps only one.
ALARMS_OF_A_POLICY = 2
PARTS = {
    "app": "Control plane: the app and its KMS key",
    "network": "Network",
    "chef_server": "Chef Server",
    "cluster": "Hubs and homes",
    "workers": "Workers kept free",
}
# Types of resources that are counted, and the name of each in list-prices.json or in `idle`.
COUNTED = {
    "aws_nat_gateway": "nat_gateway",
    "aws_eip": "public_ipv4",
    "aws_kms_key": "kms_key",
    "aws_secretsmanager_secret": "secret",
    "aws_cloudwatch_metric_alarm": "alarm",
    "aws_route53_zone": "hosted_zone",
    "aws_efs_file_system": "efs",
    "aws_flow_log": "flow_log",
    "aws_s3_bucket": "s3",
    "aws_dlm_lifecycle_policy": "ebs_snapshot",
}
HOURLY = ("instance:", "nat_gateway", "interface_endpoint", "public_ipv4")
CALLED = {
    "ebs_gp3": "EBS volumes",
    "nat_gateway": "NAT gateway",
    "interface_endpoint": "Interface endpoints",
    "public_ipv4": "Public IPv4 addresses",
    "kms_key": "KMS key",
    "secret": "Secrets",
    "alarm": "CloudWatch alarms",
    "hosted_zone": "Route 53 private zone",
}


class Refused(Exception):
    """The request cannot be priced; the text names the option and the remedy."""


@dataclass(frozen=True)
class Line:
    """One item of a bill. `doubt`: why its price is not sure, None when it is."""

    part: str
    what: str
    item: str
    quantity: float
    per: str
    usd_each: float
    usd: float
    doubt: str | None


class Prices:
    """The list prices of a region."""

    def __init__(self, region: str) -> None:
        known = _read("list-prices.json")
        if region not in known["regions"]:
            raise Refused(
                f"--region: {region} has no prices here; give {_either(known['regions'])}."
            )
        self.region = region
        self._prices: dict[str, Any] = known["regions"][region]
        self.always_free: dict[str, float] = known["always_free"]["a_month"]

    def line(self, part: str, what: str, item: str, quantity: float) -> Line:
        """A quantity of an item; `item` is a key of list-prices.json."""
        if item not in self._prices:
            raise Refused(
                f"--region: there is no price of {item} in {self.region}; "
                "add it to list-prices.json, with its source."
            )
        price = self._prices[item]
        each = float(price["usd"])
        usd = each * quantity
        return Line(part, what, item, quantity, price["per"], each, usd, price.get("doubt"))

    def spot(self, part: str, what: str, instance_type: str, hours: float) -> Line:
        """Hours at the spot price that was seen once; where none was, at m7i.large's share."""
        item = f"spot:{instance_type}"
        if item in self._prices:
            return self.line(part, what, item, hours)
        share = self._prices["spot:m7i.large"]["usd"] / self._prices["instance:m7i.large"]["usd"]
        line = self.line(part, what, f"instance:{instance_type}", hours * share)
        doubt = "a spot price that was not seen is taken as m7i.large's share of the list price"
        each = line.usd_each * share
        return Line(part, what, item, hours, line.per, each, each * hours, doubt)


def quantities(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a plan that cost money; and the group of workers of each cluster."""
    parts: dict[str, Counter[str]] = {part: Counter() for part in PARTS if part != "workers"}
    groups: dict[str, dict[str, Any]] = {}
    volumes: dict[str, int] = {}
    resources = list(_resources(plan["planned_values"]["root_module"]))
    zones = sum(r["type"] == "aws_subnet" and r["name"] == "private" for r in resources)
    for resource in resources:
        address, kind, values = resource["address"], resource["type"], resource.get("values", {})
        found = re.match(r"module\.(network|chef_server)\b", address)
        part = found.group(1) if found else "cluster"
        there = parts[part]
        if kind == "aws_instance":
            there[f"instance:{values['instance_type']}"] += 1
            # Without a size it is as large as its image.
            there["ebs_gp3"] += values["root_block_device"][0].get("volume_size") or IMAGE_GIB
        elif kind == "aws_ebs_volume":
            there["ebs_gp3"] += values["size"]
        elif kind == "aws_vpc_endpoint" and values["vpc_endpoint_type"] == "Interface":
            there["interface_endpoint"] += zones
        elif kind == "aws_kms_key" and values.get("key_usage") == "SIGN_VERIFY":
            parts["app"]["kms_key"] += 1
        elif kind == "aws_autoscaling_policy":
            there["alarm"] += ALARMS_OF_A_POLICY
        elif kind == "aws_launch_template":
            volumes[values["name"]] = values["block_device_mappings"][0]["ebs"][0]["volume_size"]
        elif kind == "aws_autoscaling_group":
            overrides = values["mixed_instances_policy"][0]["launch_template"][0]["override"]
            groups[values["name"]] = {
                "instance_type": overrides[0]["instance_type"],
                "max_nodes": values["max_size"],
            }
        elif kind in COUNTED:
            there[COUNTED[kind]] += 1
    seats, headroom = _seats(plan), _headroom(plan)
    clusters = {}
    for asg, group in groups.items():
        name = asg.removeprefix("labswarm-").removesuffix("-workers")
        clusters[name] = {
            **group,
            "headroom": headroom[name],
            "seats": seats[name][group["instance_type"]],
            "volume_gib": volumes[asg],
        }
    return {
        "parts": {part: dict(sorted(there.items())) for part, there in parts.items()},
        "clusters": dict(sorted(clusters.items())),
    }


def idle(there: Mapping[str, Any], prices: Prices, *, spot: bool = False) -> list[Line]:
    """A month in which nobody comes: no worker runs but those that are kept free."""
    known = _read("quantities.json")
    assumed = {name: figure["value"] for name, figure in known["assumed"].items()}
    hubs = there["parts"]["cluster"].get("efs", 0)
    lines = list(_app(known["app"], assumed, len(there["clusters"]), prices))
    for part, items in there["parts"].items():
        for item, count in items.items():
            if item == "efs":
                gb = count * assumed["homes_gb"]
                lines.append(prices.line(part, "EFS homes", "efs", gb))
                lines.append(prices.line(part, "Backups of the homes", "efs_backup", gb))
            elif item == "ebs_snapshot":
                gib = count * assumed["snapshot_gib"]
                lines.append(prices.line(part, "Snapshots of data volumes", item, gib))
            elif item == "s3":
                lines.append(prices.line(part, "Backups", item, count * assumed["backup_gb"]))
            elif item == "flow_log":
                gb = count * assumed["flow_log_gb"]
                lines.append(prices.line(part, "Flow logs, taken in", "logs_in", gb))
                lines.append(prices.line(part, "Flow logs, kept", "logs_kept", 3 * gb))
            else:
                what = CALLED.get(item) or f"Instance {item.partition(':')[2]}"
                each = MONTH_H if item.startswith(HOURLY) else 1
                lines.append(prices.line(part, what, item, count * each))
            if item == "nat_gateway":
                lines.append(prices.line(part, "NAT, by the gigabyte", "nat_gb", assumed["nat_gb"]))
    machines = {"chef_server": bool(there["parts"]["chef_server"]), "cluster": hubs}
    for part, count in machines.items():
        if count:
            metrics = count * assumed["metrics_per_machine"]
            lines.append(prices.line(part, "CloudWatch metrics", "metric", metrics))
    for name, group in there["clusters"].items():
        if nodes := math.ceil(group["headroom"] / group["seats"]):
            lines += _workers("workers", name, group, nodes * MONTH_H, assumed, prices, spot)
    order = list(PARTS)
    return sorted(lines, key=lambda line: order.index(line.part))


def _app(
    app: Mapping[str, float],
    assumed: Mapping[str, float],
    clusters: int,
    prices: Prices,
) -> Iterator[Line]:
    decisions, beats = app["decisions_per_hour"] * MONTH_H, app["beats_per_hour"] * MONTH_H
    # Each tick asks whether a cluster is awake; those at rest are compared in one run an hour.
    ticks, runs = app["pass_ticks_per_hour"] * MONTH_H, app["passes_per_hour_at_rest"] * MONTH_H
    compared = clusters * runs
    transitions = runs * app["pass_transitions"] + compared * app["pass_transitions_per_cluster"]
    calls = decisions + beats + ticks + runs + 2 * compared
    calls += app["ready_ticks_per_hour"] * MONTH_H  # it looks whether a lab is near
    calls += app["chef_calls_per_hour"] * MONTH_H  # so that it stays Active; it does nothing
    busy = decisions * (assumed["decision_gb_s"] + clusters * assumed["decision_gb_s_per_cluster"])
    busy += beats * (assumed["beat_gb_s"] + clusters * assumed["beat_gb_s_per_cluster"])
    busy += (ticks + runs) * assumed["pass_gb_s"] + compared * assumed["pass_gb_s_per_cluster"]
    snapshots = clusters * app["snapshots_per_hour"] * MONTH_H
    reads = clusters * (2 * decisions + ticks + runs) + 3 * compared
    logs = (calls * assumed["log_kb_per_call"] + decisions * clusters) / 1e6
    for what, item, quantity in (
        ("KMS signatures", "kms_sign", 2 * compared),
        ("Step Functions: reconcile", "transition", transitions),
        ("Lambda calls", "lambda_request", calls),
        ("Lambda compute", "lambda_gb_s", busy),
        # A pass is wanted, and then kept.
        ("DynamoDB writes", "dynamodb_write", snapshots + 2 * compared),
        ("DynamoDB reads", "dynamodb_read", reads),
        ("CloudWatch alarms", "alarm", app["alarms"]),
        ("CloudWatch metrics", "metric", app["metrics"]),
        ("Logs, taken in", "logs_in", logs),
        ("Logs, kept", "logs_kept", logs),
    ):
        yield prices.line("app", what, item, quantity)


def lab(
    there: Mapping[str, Any],
    prices: Prices,
    cluster: str | None,
    seats: int,
    hours: float,
    spot: bool,
) -> tuple[str, list[Line]]:
    """One lab of a cluster: in a sentence, and as a bill next to the idle one."""
    known = _read("quantities.json")
    assumed = {name: figure["value"] for name, figure in known["assumed"].items()}
    name = cluster or next(iter(there["clusters"]))
    if name not in there["clusters"]:
        raise Refused(f"--cluster: there is no {name}; give {_either(there['clusters'])}.")
    group = there["clusters"][name]
    nodes = math.ceil(seats / group["seats"])
    if nodes > group["max_nodes"]:
        raise Refused(
            f"--seats: {name} has room for {group['max_nodes'] * group['seats']} seats "
            f"({group['max_nodes']} workers of {group['seats']}); give fewer, or raise max_nodes."
        )
    paid_h = nodes * (hours + assumed["start_h"] + assumed["empty_h"])
    seat_h = seats * hours
    lines = _workers("lab", f"{nodes} workers", group, paid_h, assumed, prices, spot)
    moved = seat_h * (assumed["home_read_gb"] + assumed["home_write_gb"])
    for what, item, quantity in (
        (
            "Step Functions",
            "transition",
            nodes * known["app"]["node_transitions"] + assumed["lab_transitions"],
        ),
        (
            "Lambda calls",
            "lambda_request",
            nodes * known["app"]["node_calls"] + assumed["lab_transitions"],
        ),
        ("Lambda compute", "lambda_gb_s", nodes * assumed["node_gb_s"]),
        ("DynamoDB writes", "dynamodb_write", nodes * assumed["node_writes"]),
        ("NAT, by the gigabyte", "nat_gb", nodes * assumed["node_nat_gb"]),
        ("Homes, read", "efs_read", seat_h * assumed["home_read_gb"]),
        ("Homes, written", "efs_write", seat_h * assumed["home_write_gb"]),
        # Half of it crosses zones, and that is paid for on both sides.
        ("Between zones", "zone_transfer", moved + seat_h * assumed["out_gb"]),
        ("To students' browsers", "internet_out", seat_h * assumed["out_gb"]),
    ):
        lines.append(prices.line("lab", what, item, quantity))
    return f"{seats} seats for {hours:g} h in {name}", lines


def _workers(
    part: str,
    who: str,
    group: Mapping[str, Any],
    hours: float,
    assumed: Mapping[str, float],
    prices: Prices,
    spot: bool,
) -> list[Line]:
    kind, months = group["instance_type"], hours / MONTH_H
    return [
        prices.spot(part, f"{who}: {kind}, spot", kind, hours)
        if spot
        else prices.line(part, f"{who}: {kind}, on-demand", f"instance:{kind}", hours),
        prices.line(part, f"{who}: volumes", "ebs_gp3", group["volume_gib"] * months),
        prices.line(part, f"{who}: metrics", "metric", assumed["metrics_per_machine"] * months),
    ]


def after_always_free(lines: list[Line], prices: Prices) -> float:
    """The sum without what AWS gives an account each month, if nothing else there uses it."""
    left = dict(prices.always_free)
    total = 0.0
    for line in lines:
        free = min(line.quantity, left.get(line.item, 0))
        left[line.item] = left.get(line.item, 0) - free
        total += (line.quantity - free) * line.usd_each
    return total


def total(lines: list[Line]) -> float:
    """The sum of a bill, in USD."""
    return sum(line.usd for line in lines)


def markdown(region: str) -> str:
    """The tables in docs/how-to/deploy.md: every example, and the first one item by item."""
    prices = Prices(region)
    examples = _read("quantities.json")["examples"]
    rows = [
        f"List prices of {region}, USD.",
        "",
        "| example | "
        + " | ".join(title.partition(":")[0] for title in PARTS.values())
        + " | idle, per month | lab of 60 seats, 2 h | the same on spot |",
        "|---|" + "---:|" * (len(PARTS) + 3),
    ]
    for example, there in examples.items():
        bill = idle(there, prices)
        cells = [total([line for line in bill if line.part == part]) for part in PARTS]
        cells.append(total(bill))
        cells += [total(lab(there, prices, None, 60, 2, spot)[1]) for spot in (False, True)]
        rows.append(f"| {example} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")
    first = next(iter(examples))
    rows += ["", f"{first}, idle, item by item; ~ marks a price without a current source:", ""]
    rows += ["| part | item | per month | USD |", "|---|---|---:|---:|"]
    for line in idle(examples[first], prices):
        part = PARTS[line.part].partition(":")[0]
        rows.append(f"| {part} | {line.what} | {_amount(line)} | {_usd(line)} |")
    return "\n".join(rows)


def _text(title: str, lines: list[Line]) -> list[str]:
    rows = [f"{title}  ${total(lines):.2f}"]
    rows += [f"  {line.what:<34}{_amount(line):>24}{_usd(line):>11}" for line in lines]
    return rows


def _amount(line: Line) -> str:
    plural = "" if line.quantity == 1 or line.per == "GB" else "s"
    number = f"{line.quantity:,.{0 if line.quantity >= 100 else 2}f}".removesuffix(".00")
    return f"{number} {line.per}{plural}"


def _usd(line: Line) -> str:
    return f"{'~' if line.doubt else ''}{line.usd:.2f}"


def _resources(module: Mapping[str, Any], mode: str = "managed") -> Iterator[dict[str, Any]]:
    yield from (r for r in module.get("resources", []) if r["mode"] == mode)
    for child in module.get("child_modules", []):
        yield from _resources(child, mode)


def _outputs(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.get("value") for name, value in plan["planned_values"]["outputs"].items()}


def _seats(plan: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """By cluster and instance type, a worker's seats, as modules/workers counts them."""
    outputs = _outputs(plan)
    if "seats_per_node" in outputs:
        seats: dict[str, dict[str, int]] = outputs["seats_per_node"]
        return seats
    if "settings" not in outputs:
        raise Refused(
            "--plan: it has no seats_per_node; give a plan of stack cluster or an example."
        )
    read = _resources(plan["prior_state"]["values"]["root_module"], "data")
    sizes = {
        r["values"]["instance_type"]: (r["values"]["memory_size"], r["values"]["default_vcpus"])
        for r in read
        if r["type"] == "aws_ec2_instance_type"
    }
    return {
        name: {kind: _seats_of(size, value) for kind, size in sizes.items()}
        for name, value in outputs["settings"].items()
    }


def _headroom(plan: Mapping[str, Any]) -> dict[str, int]:
    outputs = _outputs(plan)
    if "settings" not in outputs:
        raise Refused("--plan: it has no settings; give a plan of stack cluster or an example.")
    return {name: value["headroom"] for name, value in outputs["settings"].items()}


def _seats_of(size: tuple[int, int], settings: Mapping[str, Any]) -> int:
    seat, overhead = settings["seat"], settings["overhead"]
    memory = size[0] * 2**20 - overhead["memory_bytes"]
    cpu = size[1] * 10**9 - overhead["nano_cpus"]
    return int(min(memory // seat["memory_bytes"], cpu // seat["nano_cpus"]))


def _read(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return read


def _either(names: Mapping[str, Any]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        remedy = "" if ";" in message else "; --help names the options"
        raise Refused(f"{message.removeprefix('argument ')}{remedy}.")


def _seats_asked(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise argparse.ArgumentTypeError(f"{text} is no number of seats; give 1 to 99999")
    return int(text)


def _hours_asked(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", text) or not float(text):
        raise argparse.ArgumentTypeError(f"{text} is no length of a lab; give hours such as 1.5")
    return float(text)


def _asked(words: list[str]) -> argparse.Namespace:
    parser = _Parser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "example", metavar="EXAMPLE", nargs="?", help="price this one of terraform-base/examples"
    )
    parser.add_argument(
        "--plan",
        type=Path,
        help="price a plan: the output of `terraform show -json`",
    )
    parser.add_argument(
        "--region",
        default="eu-west-1",
        help="use the prices of eu-west-1 (the default) or us-east-1",
    )
    parser.add_argument("--cluster", help="price a lab of this cluster, not of the first one")
    parser.add_argument(
        "--seats", type=_seats_asked, default=60, help="give the lab so many seats (60)"
    )
    parser.add_argument(
        "--hours", type=_hours_asked, default=2.0, help="let the lab take so many hours (2)"
    )
    parser.add_argument(
        "--spot", action="store_true", help="price its workers at a spot price that was seen once"
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--markdown", action="store_true", help="write the tables of docs/how-to/deploy.md"
    )
    return parser.parse_args(words)


def _there(asked: argparse.Namespace) -> dict[str, Any]:
    known = _read("quantities.json")
    if asked.plan is None:
        if asked.example not in known["examples"]:
            raise Refused(f"EXAMPLE: give {_either(known['examples'])}, or --plan.")
        there: dict[str, Any] = known["examples"][asked.example]
        return there
    try:
        return quantities(json.loads(asked.plan.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Refused(
            f"--plan: {asked.plan} is no plan; give the output of `terraform show -json`."
        ) from error


def main(words: list[str]) -> int:
    """The command line; its exit code."""
    try:
        asked = _asked(words)
        if asked.markdown:
            print(markdown(asked.region))
            return 0
        there, prices = _there(asked), Prices(asked.region)
        bill = idle(there, prices, spot=asked.spot)
        which, use = lab(there, prices, asked.cluster, asked.seats, asked.hours, asked.spot)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 2
    app = [line for line in bill if line.part == "app"]
    if asked.json:
        value = {
            "region": asked.region,
            "idle_usd_a_month": total(bill),
            "control_plane_after_always_free_usd": after_always_free(app, prices),
            "idle": [asdict(line) for line in bill],
            "lab": {"what": which, "usd": total(use), "lines": [asdict(line) for line in use]},
        }
        print(json.dumps(value, indent=2))
        return 0
    rows = [f"List prices of {asked.region}, USD; a month has {MONTH_H} hours.", ""]
    rows += [f"Idle, per month  ${total(bill):.2f}", ""]
    for part, title in PARTS.items():
        if lines := [line for line in bill if line.part == part]:
            rows += [*_text(title, lines), ""]
    rows += [
        f"Control plane after AWS's always-free allowances  ${after_always_free(app, prices):.2f}",
        "",
        *_text(f"Lab: {which}", use),
        f"  a seat and hour: ${total(use) / (asked.seats * asked.hours):.4f}",
    ]
    doubts: dict[str, set[str]] = {}
    for line in (*bill, *use):
        if line.doubt:
            doubts.setdefault(line.doubt, set()).add(line.what)
    rows += ["", *(f"~ {doubt}: {', '.join(sorted(of))}." for doubt, of in doubts.items())]
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
