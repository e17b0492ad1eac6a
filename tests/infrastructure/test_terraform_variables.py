"""Variables: each is used, each reaches the modules, and a message names one that can be set."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infrastructure.conftest import Prepared
from tests.infrastructure.terraform import tables
from tests.infrastructure.terraform.workspace import BASE

FOLDERS = tables.folders(BASE)
# Stack github calls no module.
STACKS = [stack for stack in sorted(BASE.glob("stacks/*/")) if stack.name != "github"]
BLOCK = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}\n', re.MULTILINE | re.DOTALL)
CALL = re.compile(r'^module "(\w+)" \{\n(.*?)^\}\n', re.MULTILINE | re.DOTALL)
ARGUMENT = re.compile(r"^  (\w+) += (.*)$", re.MULTILINE)
LOCAL = re.compile(r"^ +(\w+) += var\.(\w+)$", re.MULTILINE)


def called(folder: Path) -> str:
    return str(folder.relative_to(BASE))


def text_of(folder: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.tf")))


def variables(folder: Path) -> dict[str, str]:
    """Each variable's block, by its name."""
    return dict(BLOCK.findall(text_of(folder)))


def unused(folder: Path) -> list[str]:
    """The variables that only their own validations read."""
    elsewhere = BLOCK.sub("", text_of(folder))
    return [name for name in variables(folder) if not re.search(rf"\bvar\.{name}\b", elsewhere)]


@pytest.mark.parametrize("folder", FOLDERS, ids=called)
def test_every_variable_is_used(folder: Path) -> None:
    assert unused(folder) == []


def test_a_variable_that_only_its_validation_reads_is_found(tmp_path: Path) -> None:
    block = 'variable "ports" {\n  validation {\n    condition = var.ports != 0\n  }\n}\n'
    (tmp_path / "variables.tf").write_text(block)
    (tmp_path / "main.tf").write_text('output "x" {\n  value = var.ports_of_others\n}\n')
    assert unused(tmp_path) == ["ports"]


# ---- each value reaches a module -------------------------------------------------------------

PROVIDERS = {"region", "account_id", "tags"}
"""Variables that a stack may give to its provider alone."""

OFF_DEFAULT: dict[str, dict[str, Any]] = {
    "chef": {
        "region": "eu-west-1",
        "account_id": "123456789012",
        "network_name": "physics-network",
        "vpc_cidr": "10.80.0.0/18",
        "zones": ["eu-west-1b", "eu-west-1c"],
        "egress": "nat_per_zone",
        "endpoint_services": ["kms", "secretsmanager", "ssm", "ssmmessages"],
        "existing_vpc": {
            "vpc_id": "vpc-0123456789abcdef0",
            "private_subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "public_subnet_ids": ["subnet-0123456789abcdef3"],
        },
        "flow_log_days": 30,
        "chef_server_ami": "ami-0123456789abcdef1",
        "chef_server_instance_type": "m7i.large",
        "chef_server_private_ip": "10.0.0.20",
        "organization": "physics",
        "domain": {"name": "chef.example.org", "zone_id": "Z0123456789ABCDEFGHIJ"},
        "data_volume_gib": 40,
        "backup_hour_utc": 4,
        "backup_days": 60,
        "delete_backups_on_destroy": True,
        "workstation": {"ami": "ami-0123456789abcdef2", "instance_type": "t3.medium"},
        "app_stack_name": "physics-app",
        "alarm_topic_arns": ["arn:aws:sns:eu-west-1:123456789012:alarms"],
        "tags": {"department": "physics"},
    },
    "cluster": {
        "region": "eu-west-1",
        "name": "optics",
        "prefix": "labstage",
        "vpc_id": "vpc-0123456789abcdef1",
        "subnet_ids": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
        "public_subnet_ids": ["subnet-0123456789abcdef4"],
        "security_groups": {"nodes": "sg-0123456789abcdef7"},
        "internet": False,
        "prefix_list_ids": {"s3": "pl-6da54004"},
        "hub_ingress_cidrs": ["192.0.2.0/24"],
        "hub_egress_ports": [443, 80, 636],
        "worker_egress_ports": [443, 22],
        "chef": {
            "url": "https://chef.example.org",
            "organization": "physics",
            "ca_pem": "-----BEGIN CERTIFICATE-----",
            "admin": "admin",
            "key_id": "alias/physics",
        },
        "image_owners": ["self", "210987654321"],
        "hub_ami": "ami-0123456789abcdef3",
        "hub_instance_type": "m7i.large",
        "hub_private_address": "10.0.4.10",
        "hub_root_volume_gib": 64,
        "hub_data_volume_gib": 20,
        "hub_data_snapshot_id": "snap-0123456789abcdef0",
        "hub_snapshots_kept": 3,
        "hub_last_snapshot": False,
        "domain": {
            "name": "optics.example.org",
            "zone_id": "Z0123456789ABCDEFGHIJ",
            "acme_email": None,
            "certificate_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:c",
        },
        "homes": {
            "days_to_infrequent_access": 7,
            "throughput_mode": "bursting",
            "backups": False,
        },
        "delete_homes_on_destroy": True,
        "restore_homes": True,
        "worker_ami": "ami-0123456789abcdef4",
        "instance_types": ["m5.xlarge", "m6i.xlarge"],
        "worker_volume_gib": 60,
        "on_demand_base": 1,
        "on_demand_percentage": 50,
        "hook_timeout_seconds": 900,
        "seat": {"memory_mib": 2048, "cpu": 0.5},
        "overhead": {"memory_mib": 512, "cpu": 0.2},
        "headroom": 3,
        "login": {
            "authenticator": "github",
            "admins": ["grace"],
            "conf": {"login.py": "# no setting\n"},
            "python_packages": ["oauthenticator"],
        },
        "document": "cull: {timeout: 7200}\n",
        "images": ["quay.io/jupyter/r-notebook:2025-03-14"],
        "empty_deadline_minutes": 20,
        "timetable": "https://calendar.example.org/optics.ics",
        "node_start_seconds": 300,
        "min_nodes": 1,
        "max_nodes": 12,
        "scale_out_at": {"cpu_percent": 70, "memory_percent": 75},
        "extra_groups": {
            "memory": {
                "instance_types": ["r7i.xlarge"],
                "seat": {"memory_mib": 8192, "cpu": 1},
                "overhead": {"memory_mib": 600, "cpu": 0.3},
                "headroom": 1,
                "images": ["quay.io/jupyter/scipy-notebook:2025-03-14"],
                "worker_ami": "ami-0123456789abcdef5",
                "worker_volume_gib": 70,
                "on_demand_base": 2,
                "on_demand_percentage": 25,
                "hook_timeout_seconds": 1200,
                "empty_deadline_minutes": 30,
                "timetable": "ssm:/labswarm/timetables/optics",
                "node_start_seconds": 360,
                "min_nodes": 2,
                "max_nodes": 5,
            }
        },
        "alarm_topic_arns": ["arn:aws:sns:eu-west-1:123456789012:alarms"],
        "tags": {"department": "physics"},
    },
}


def defaults(folder: Path) -> dict[str, str]:
    """The default of each variable that has one, as it is written, on one line."""
    written = {
        name: re.search(r"^  default += (.*?)\n(?=  \w|\n|\Z)", block, re.MULTILINE | re.DOTALL)
        for name, block in variables(folder).items()
    }
    return {name: " ".join(found[1].split()) for name, found in written.items() if found}


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_each_value_off_its_default_reaches_a_module(terraform: Prepared, stack: Path) -> None:
    given = OFF_DEFAULT[stack.name]
    assert set(given) == set(variables(stack))
    same = {name for name, text in defaults(stack).items() if text == as_hcl(given[name])}
    assert same == set()

    copy = terraform(stack)
    calls = show_inputs(copy.folder)
    copy.init()
    plan = copy.plan(**given)

    passed = plan["output_changes"]["passed_inputs"]["after"]
    reached = set()
    for call, body in calls.items():
        for argument, source in re.findall(r"^  (\w+) += var\.(\w+)$", body, re.MULTILINE):
            assert passed[call][argument] == given[source], (call, argument)
            reached.add(source)
    assert set(given) - reached <= PROVIDERS


def as_hcl(value: Any) -> str:
    """A value as a variable's default is written; of objects only the empty one."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(as_hcl(each) for each in value)}]"
    return str(value)


def show_inputs(folder: Path) -> dict[str, str]:
    """Give a copied stack the output passed_inputs: by module call, the inputs that it gets.

    Returns the body of each call.
    """
    calls = dict(CALL.findall(text_of(folder)))
    for body in calls.values():
        module = (folder / re.findall(r'source += "(.*?)"', body)[0]).resolve()
        pairs = "\n".join(f"    {name} = var.{name}" for name in variables(module))
        output = f'output "passed_inputs" {{\n  value = {{\n{pairs}\n  }}\n}}\n'
        (module / "passed_inputs.tf").write_text(output, encoding="utf-8")
    pairs = "\n".join(f"    {name} = module.{name}.passed_inputs" for name in calls)
    output = f'output "passed_inputs" {{\n  value = {{\n{pairs}\n  }}\n}}\n'
    (folder / "passed_inputs.tf").write_text(output, encoding="utf-8")
    return calls


# ---- messages --------------------------------------------------------------------------------


def named(folder: Path) -> Iterator[tuple[str, str]]:
    """The module's variables that its messages name, each with the message.

    A variable is named by the first word, or by a word with an underscore.
    """
    for message in re.findall(r'error_message += "(.*)"\n', text_of(folder)):
        plain = re.sub(r"\$\{.*?\}", "", message)
        words = {
            re.split(r"\W", plain, maxsplit=1)[0],
            *re.findall(r"(?<![.\w])[a-z]+(?:_[a-z]+)+\b", plain),
        }
        for name in sorted(words & set(variables(folder))):
            yield name, message


def callers(module: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The modules and stacks that call this module, with the arguments that they give it."""
    for folder in [each for each in FOLDERS if each.parent.name != "examples"]:
        for _, body in CALL.findall(text_of(folder)):
            source = re.findall(r'source += "(.*?)"', body)[0]
            if (folder / source).resolve() == module:
                yield folder, dict(ARGUMENT.findall(body))


def source_of(caller: Path, expression: str) -> str | None:
    """The caller's variable behind an argument, if it is one variable."""
    if direct := re.fullmatch(r"var\.(\w+)", expression):
        return direct[1]
    if each := re.fullmatch(r"each\.value\.(\w+)", expression):
        # The first is the one of the locals; after it come arguments of the same name.
        return dict(reversed(LOCAL.findall(text_of(caller)))).get(each[1])
    return None


@pytest.mark.parametrize("module", sorted(BASE.glob("modules/*/")), ids=called)
def test_a_variable_that_a_message_names_can_be_set_from_every_root(module: Path) -> None:
    for name, message in named(module):
        for caller, arguments in callers(module):
            assert name in arguments, f"{called(caller)} does not pass {name}: {message}"
            source = source_of(caller, arguments[name])
            assert source in (None, name) or source in message, f"{source}: {message}"


def test_an_argument_that_a_caller_leaves_out_is_found(tmp_path: Path) -> None:
    text = (
        'variable "size" {\n}\n\noutput "x" {\n  error_message = "size is ${var.size}: more"\n}\n'
    )
    (tmp_path / "main.tf").write_text(text)
    assert list(named(tmp_path)) == [("size", "size is ${var.size}: more")]


@pytest.mark.parametrize("folder", FOLDERS, ids=called)
def test_a_message_has_the_value_that_it_refuses(folder: Path) -> None:
    for message in re.findall(r'error_message += "(.*)"\n', text_of(folder)):
        assert "${" in message or " is empty" in message, message
