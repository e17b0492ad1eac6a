"""The examples' costs: the sums, where their quantities and prices come from, and refusals."""

import json
import re
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.infrastructure.terraform.workspace import BASE, Terraform, missing, provider
from tests.simulation.simulation import CLUSTER, RECONCILE, Simulation
from tests.support.prices import KNOWN, PRICES, price

from labswarm.reconcile.due import REST_S
from labswarm_node.snapshot import WRITE_AFTER_S

ROOT = Path(__file__).resolve().parents[2]
LIST = json.loads((PRICES / "list-prices.json").read_text())
REGIONS = sorted(LIST["regions"])
EXAMPLES = sorted(KNOWN["examples"])
TEMPLATE = (ROOT / "template.yaml").read_text()
PAGE = ROOT / "docs/how-to/deploy.md"
WRITE = "write it again: python -m tests.unit.test_prices"

AMIS = dict.fromkeys(("chef_server", "hub", "worker"), "ami-0123456789abcdef0")
SUBNETS = [f"subnet-0123456789abcdef{number}" for number in (0, 1, 3, 4)]
GIVEN: dict[str, dict[str, Any]] = {
    "one-cluster": {},
    "ten-lectures": {
        "domain": {
            "name": "hub.example.edu",
            "zone_id": "Z0123456789ABCDEFGHIJ",
            "acme_email": "it@example.edu",
        }
    },
    "own-vpc": {
        "vpc": {
            "vpc_id": "vpc-0123456789abcdef0",
            "private_subnet_ids": SUBNETS[:2],
            "public_subnet_ids": SUBNETS[2:],
        },
        "domain": {
            "name": "physics.hub.example.edu",
            "certificate_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t",
        },
    },
}


def control_plane(example: str, region: str) -> list[Any]:
    bill = price.idle(KNOWN["examples"][example], price.Prices(region))
    return [line for line in bill if line.part == "app"]


def resource(address: str, **values: Any) -> dict[str, Any]:
    *_, kind, name = address.split(".")
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name.partition("[")[0],
        "values": values,
    }


def a_plan(*resources: dict[str, Any]) -> dict[str, Any]:
    workers = 'module.cluster.module.workers["db"]'
    override = {"instance_type": "m7i.large"}
    group = resource(
        f"{workers}.aws_autoscaling_group.workers",
        name="labswarm-db-workers",
        max_size=4,
        mixed_instances_policy=[{"launch_template": [{"override": [override]}]}],
    )
    template = resource(
        f"{workers}.aws_launch_template.workers",
        name="labswarm-db-workers",
        block_device_mappings=[{"ebs": [{"volume_size": 40}]}],
    )
    below = {"resources": [group, template]}
    return {
        "planned_values": {
            "outputs": {
                "seats_per_node": {"value": {"db": {"m7i.large": 7}}},
                "settings": {"value": {"db": {"headroom": 2}}},
            },
            "root_module": {"resources": list(resources), "child_modules": [below]},
        }
    }


# The promise


@pytest.mark.parametrize(("example", "most"), [("one-cluster", 3.0), ("own-vpc", 3.1)])
@pytest.mark.parametrize("region", REGIONS)
def test_the_control_plane_costs_under_three_dollars_while_no_node_runs(
    region: str, example: str, most: float
) -> None:
    """At list prices, nothing of them free: of one cluster, and of a hub's two groups."""
    lines = control_plane(example, region)

    (key,) = [line.usd for line in lines if line.item == "kms_key"]
    assert key == 1.0
    assert price.total(lines) == sum(line.quantity * line.usd_each for line in lines)
    assert price.total(lines) < most


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("region", REGIONS)
def test_after_the_free_tier_it_is_under_three_dollars_for_ten_clusters_too(
    region: str, example: str
) -> None:
    assert price.after_always_free(control_plane(example, region), price.Prices(region)) < 3


@pytest.mark.parametrize("region", REGIONS)
def test_a_further_cluster_adds_a_quarter_of_a_dollar_to_it(region: str) -> None:
    ten, one = (price.total(control_plane(e, region)) for e in ("ten-lectures", "one-cluster"))

    assert (ten - one) / 9 < 0.26


# Where the figures come from


@pytest.mark.parametrize("region", REGIONS)
def test_every_price_says_where_it_is_from_and_when_it_is_not_sure(region: str) -> None:
    for item, listed in LIST["regions"][region].items():
        source = LIST["sources"][listed["source"]]
        assert listed["usd"] > 0, item
        assert listed["per"], item
        assert source["url"].startswith("https://"), item
        assert source["quoted"], item
        assert source["date"] or listed.get("doubt"), item
        if source["date"]:
            assert date.fromisoformat(source["date"]).year >= 2026, item


def test_every_region_prices_the_same() -> None:
    first, *others = ({k: v["per"] for k, v in r.items()} for r in LIST["regions"].values())
    assert all(other == first for other in others)


def test_every_assumption_has_its_reason() -> None:
    assert all(figure["why"] for figure in KNOWN["assumed"].values())


def way(machine: str) -> list[str]:
    """The states that an execution enters when nothing fails and a node is empty."""
    whole = yaml.safe_load((ROOT / f"statemachines/{machine}.asl.yaml").read_text())
    states, name = whole["States"], whole["StartAt"]
    entered = [name]
    while states[name]["Type"] not in ("Succeed", "Fail") and not states[name].get("End"):
        state = states[name]
        empty = name == "Empty?"
        name = state["Choices"][0]["Next"] if empty else state.get("Next") or state["Default"]
        entered.append(name)
    return entered


def test_the_app_is_counted_from_the_app() -> None:
    app = KNOWN["app"]
    schedules = sorted(int(minutes) for minutes in re.findall(r"rate\((\d+) minutes?\)", TEMPLATE))

    assert app["alarms"] == TEMPLATE.count("Type: AWS::CloudWatch::Alarm")
    ticks = ("decisions_per_hour", "beats_per_hour", "pass_ticks_per_hour")
    counted = (*ticks, "ready_ticks_per_hour", "chef_calls_per_hour")
    assert [60 / app[name] for name in counted] == schedules
    assert app["snapshots_per_hour"] == 3600 / WRITE_AFTER_S
    assert app["passes_per_hour_at_rest"] == 3600 / REST_S


def sent(said: str) -> set[tuple[str, str]]:
    """The metrics in the functions' output (embedded metric format): names and services."""
    documents = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return {
        (metric["Name"], document["service"])
        for document in documents
        if "_aws" in document
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def test_the_bill_counts_a_day_without_students(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole app runs for a day; each custom metric would be paid for by the hour.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_billing.html
    """
    app, hours = KNOWN["app"], 24
    with Simulation(ticks=True) as simulation:
        simulation.time.run(3600)
        capsys.readouterr()
        before = Counter(function for function, _ in simulation.answers)
        passes_before = len(simulation.executions(RECONCILE))

        simulation.time.run(hours * 3600)

        called = Counter(function for function, _ in simulation.answers) - before
        assert called == {
            "decide_nodes": hours * app["decisions_per_hour"],
            "heartbeat": hours * app["beats_per_hour"],
            "chef": hours * app["chef_calls_per_hour"],
            "begin_passes": hours * app["pass_ticks_per_hour"],
            "check_ready": hours * app["ready_ticks_per_hour"],
        }
        passes = simulation.executions(RECONCILE)[passes_before:]
        assert len(passes) == hours * app["passes_per_hour_at_rest"]
        assert len(simulation.interpreter.executions) == passes_before + len(passes)
        entered = app["pass_transitions"] + app["pass_transitions_per_cluster"]
        assert [len(one.entered) for one in passes] == [entered] * len(passes)
        assert len(sent(capsys.readouterr().out)) == app["metrics"]
        assert simulation.dead_letters == []

        simulation.chef.clients[f"{CLUSTER}-i-00000000000000bad"] = "a key"
        simulation.time.run(3600)
        assert sent(capsys.readouterr().out) == {("Orphans", "reconcile")}, "what is wrong is sent"


def test_transitions_are_counted_from_the_state_machines() -> None:
    app = KNOWN["app"]
    whole = yaml.safe_load((ROOT / "statemachines/reconcile.asl.yaml").read_text())
    each = whole["States"]["EachCluster"]["ItemProcessor"]["States"]
    nothing_due = ["ListChef", "Compare", "Act?", "Decided"]

    assert app["pass_transitions"] == len(way("reconcile"))
    assert app["pass_transitions_per_cluster"] == len(nothing_due)
    assert [each[name].get("Next") for name in nothing_due[:2]] == nothing_due[1:3]
    assert nothing_due[3] in [choice["Next"] for choice in each["Act?"]["Choices"]]


def planned(example: str) -> dict[str, Any]:
    given = GIVEN[example] | {"images": AMIS, "region": "eu-west-1"}
    with tempfile.TemporaryDirectory() as scratch, provider() as attach:
        terraform = Terraform(BASE / "examples" / example, attach, Path(scratch))
        terraform.init()
        found: dict[str, Any] = price.quantities(terraform.plan(**given))
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_kept_extract_of_an_example_is_as_terraform_plans_it(example: str) -> None:
    if reason := missing():
        pytest.skip(reason)
    assert planned(example) == KNOWN["examples"][example], WRITE


def with_tables(page: str) -> str:
    before, _, rest = page.partition("<!-- BEGIN_PRICES -->")
    _, end, after = rest.partition("<!-- END_PRICES -->")
    tables = price.markdown("eu-west-1")
    return f"{before}<!-- BEGIN_PRICES -->\n\n{tables}\n\n{end}{after}"


def test_the_page_has_the_tables() -> None:
    assert PAGE.read_text() == with_tables(PAGE.read_text()), WRITE


def test_the_steps_on_the_page_and_the_readme_have_the_prices_of_the_tables() -> None:
    there, prices = KNOWN["examples"]["one-cluster"], price.Prices("eu-west-1")
    bill = price.idle(there, prices)
    of = {part: price.total([line for line in bill if line.part == part]) for part in price.PARTS}
    labs = [
        price.total(price.lab(there, prices, None, 60, 2, spot=spot)[1]) for spot in (False, True)
    ]
    steps = [line for line in PAGE.read_text().splitlines() if line.startswith("| [")]

    assert f"| ${of['network'] + of['chef_server']:.0f} per month |" in steps[3]
    assert f"| ${of['app']:.2f} per month with one cluster |" in steps[4]
    assert f"| ${of['cluster']:.0f} per month |" in steps[5]
    assert f"| ${labs[0]:.2f} for 60 seats and 2 h, ${labs[1]:.2f} on spot |" in steps[6]
    front = (ROOT / "README.md").read_text()
    assert f"| A lab of 60 seats, 2 h | ${labs[0]:.2f}, or ${labs[1]:.2f} on spot |" in front


# The sums


def test_the_resources_of_a_plan_are_counted_by_part() -> None:
    zone = {"vpc_endpoint_type": "Interface"}
    found = price.quantities(
        a_plan(
            resource('module.network.aws_subnet.private["a"]'),
            resource('module.network.aws_subnet.private["b"]'),
            resource('module.network.aws_vpc_endpoint.interface["ssm"]', **zone),
            resource('module.network.aws_vpc_endpoint.gateway["s3"]', vpc_endpoint_type="Gateway"),
            resource("module.chef_server.aws_kms_key.admin", key_usage="SIGN_VERIFY"),
            resource(
                "module.chef_server.aws_instance.server",
                instance_type="t3.large",
                root_block_device=[{"encrypted": True}],
            ),
            resource("module.cluster.module.hub.aws_ebs_volume.data", size=10),
            resource("module.cluster.module.storage.aws_efs_file_system.homes"),
        )
    )

    assert found["parts"] == {
        "app": {"kms_key": 1},
        "network": {"interface_endpoint": 2},
        "chef_server": {"ebs_gp3": price.IMAGE_GIB, "instance:t3.large": 1},
        "cluster": {"ebs_gp3": 10, "efs": 1},
    }
    assert found["clusters"] == {
        "db": {
            "instance_type": "m7i.large",
            "max_nodes": 4,
            "headroom": 2,
            "seats": 7,
            "volume_gib": 40,
        }
    }


def test_seats_and_headroom_come_from_the_settings_where_a_plan_has_them() -> None:
    plan = a_plan()
    gib = 2**30
    settings = {
        "seat": {"memory_bytes": gib, "nano_cpus": 100_000_000},
        "overhead": {"memory_bytes": gib // 2, "nano_cpus": 100_000_000},
        "headroom": 5,
    }
    plan["planned_values"]["outputs"] = {"settings": {"value": {"db": settings}}}
    size = {"instance_type": "m7i.large", "memory_size": 8192, "default_vcpus": 2}
    seen = {"mode": "data", "type": "aws_ec2_instance_type", "values": size}
    plan["prior_state"] = {"values": {"root_module": {"resources": [seen]}}}

    (cluster,) = price.quantities(plan)["clusters"].values()

    assert (cluster["seats"], cluster["headroom"]) == (7, 5)


def test_a_plan_without_a_cluster_is_refused() -> None:
    plan = a_plan()
    plan["planned_values"]["outputs"] = {}

    with pytest.raises(price.Refused, match="give a plan of stack cluster or an example"):
        price.quantities(plan)


def test_a_bill_is_quantities_times_prices() -> None:
    there = KNOWN["examples"]["one-cluster"]
    listed = LIST["regions"]["eu-west-1"]

    bill = price.idle(there, price.Prices("eu-west-1"))

    assert all(line.usd == pytest.approx(line.quantity * line.usd_each) for line in bill)
    (nat,) = [line.usd for line in bill if line.item == "nat_gateway"]
    assert nat == pytest.approx(730 * listed["nat_gateway"]["usd"])
    assert {line.part for line in bill} == set(price.PARTS) - {"workers"}


def test_without_headroom_no_worker_is_kept() -> None:
    there = json.loads(json.dumps(KNOWN["examples"]["one-cluster"]))

    for headroom, kept in ((0, 0), (1, 1), (7, 1), (8, 2)):
        there["clusters"]["physics"]["headroom"] = headroom
        bill = price.idle(there, price.Prices("eu-west-1"))
        hours = sum(line.quantity for line in bill if line.item.startswith("instance:"))
        others = sum(
            line.quantity
            for line in bill
            if line.item.startswith("instance:") and line.part != "workers"
        )
        assert hours - others == pytest.approx(kept * price.MONTH_H)


def test_a_lab_wants_as_many_workers_as_its_seats_do() -> None:
    there, prices = KNOWN["examples"]["one-cluster"], price.Prices("eu-west-1")
    beside = sum(KNOWN["assumed"][name]["value"] for name in ("start_h", "empty_h"))

    (seven, *_), (eight, *_) = (
        price.lab(there, prices, "physics", seats, 2, spot=False)[1] for seats in (7, 8)
    )

    assert seven.quantity == pytest.approx(2 + beside)
    assert eight.quantity == pytest.approx(2 * seven.quantity)


def test_spot_is_cheaper_and_never_sure() -> None:
    prices = price.Prices("us-east-1")
    for cluster in ("physics", "physics-memory"):
        there = KNOWN["examples"]["own-vpc"]
        (plain, *_), (spot, *_) = (
            price.lab(there, prices, cluster, 5, 2, spot=spot)[1] for spot in (False, True)
        )
        assert spot.usd < plain.usd
        assert spot.doubt


def test_the_free_tier_counts_once() -> None:
    prices = price.Prices("eu-west-1")
    lines = [prices.line("app", "alarms", "alarm", 6), prices.line("hub", "alarms", "alarm", 6)]

    assert price.after_always_free(lines, prices) == pytest.approx(2 * 0.1)


# The command


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "EXAMPLE: give one-cluster, ten-lectures or own-vpc, or --plan."),
        ("nope", "EXAMPLE: give one-cluster, ten-lectures or own-vpc, or --plan."),
        ("one-cluster --seats 0", "--seats: 0 is no number of seats; give 1 to 99999."),
        ("one-cluster --hours x", "--hours: x is no length of a lab; give hours such as 1.5."),
        ("one-cluster --region mars-1", "--region: mars-1 has no prices here; give "),
        ("one-cluster --cluster x", "--cluster: there is no x; give physics."),
        ("one-cluster --seats 71", "--seats: physics has room for 70 seats (10 workers of 7); "),
        ("--plan template.yaml", "--plan: template.yaml is no plan; give the output of "),
        ("one-cluster --plan nowhere.json", "--plan: nowhere.json is no plan; give "),
        ("one-cluster --frob", "unrecognized arguments: --frob; --help names the options."),
    ],
)
def test_bad_input_is_refused_in_a_sentence(
    words: str, sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    assert price.main(words.split()) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(sentence)
    assert shown.err.count("\n") == 1


def test_an_instance_without_a_price_is_refused_with_the_remedy() -> None:
    parts = {"chef_server": {}, "cluster": {"instance:x9.large": 1}}
    there = {"parts": parts, "clusters": {}}

    with pytest.raises(price.Refused, match=r"x9\.large in eu-west-1; add it to list-prices"):
        price.idle(there, price.Prices("eu-west-1"))


def test_text_and_json_have_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert price.main(["ten-lectures", "--cluster", "genomics", "--seats", "9", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert price.main(["ten-lectures", "--cluster", "genomics", "--seats", "9"]) == 0
    text = capsys.readouterr().out

    assert f"Idle, per month  ${shown['idle_usd_a_month']:.2f}" in text
    assert f"Lab: 9 seats for 2 h in genomics  ${shown['lab']['usd']:.2f}" in text
    assert shown["lab"]["lines"][0]["what"] == "3 workers: r7i.xlarge, on-demand"
    assert shown["idle_usd_a_month"] == pytest.approx(sum(line["usd"] for line in shown["idle"]))


if __name__ == "__main__":
    KNOWN["examples"] = {example: planned(example) for example in GIVEN}
    text = json.dumps(KNOWN, indent=2, ensure_ascii=False)
    (PRICES / "quantities.json").write_text(f"{text}\n")
    PAGE.write_text(with_tables(PAGE.read_text()))
