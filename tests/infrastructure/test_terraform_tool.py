"""The tool behind the Terraform tests: an error that it misses would be missed everywhere."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.infrastructure.terraform import limits, made_up, policy, replacements, tables
from tests.infrastructure.terraform.answers import NoAnswer, answer
from tests.infrastructure.terraform.schema import PACKAGE, Names, UnknownType, names, schema
from tests.infrastructure.terraform.workspace import (
    BASE,
    Terraform,
    TerraformFailed,
    changed,
    resources,
)

Sample = Callable[[], Terraform]
needs_the_package = pytest.mark.skipif(
    not PACKAGE.exists(), reason="@cdktf/provider-aws is not installed; `make setup` installs it"
)


@needs_the_package
def test_the_schema_is_the_providers_own() -> None:
    read = schema(Names(frozenset({"aws_autoscaling_group"}), frozenset({"aws_ec2_instance_type"})))

    group = read["resources"]["aws_autoscaling_group"]
    assert group["attributes"]["max_size"]["required"]
    assert group["attributes"]["suspended_processes"]["type"] == ["set", "string"]
    assert not group["attributes"]["suspended_processes"]["computed"]
    arn = group["attributes"]["arn"]
    assert (arn["optional"], arn["computed"]) == (False, True)
    tag = group["blocks"]["tag"]
    assert (tag["nesting"], tag["max"]) == ("set", 0)
    mixed = group["blocks"]["mixed_instances_policy"]
    assert (mixed["nesting"], mixed["min"], mixed["max"]) == ("list", 0, 1)
    assert mixed["block"]["blocks"]["launch_template"]["min"] == 1
    size = read["data"]["aws_ec2_instance_type"]["attributes"]
    assert size["memory_size"]["type"] == "number"
    assert size["gpus"]["type"][1][1]["manufacturer"] == "string"


@needs_the_package
def test_a_type_that_the_provider_has_not_is_refused() -> None:
    with pytest.raises(UnknownType, match="no resource aws_autoscaling_crowd"):
        schema(Names(frozenset({"aws_autoscaling_crowd"}), frozenset()))


def test_a_plan_is_applied_and_stays(sample: Sample) -> None:
    terraform = sample()
    terraform.init()
    terraform.validate()

    plan = terraform.plan()
    planned = {each["address"]: each["values"] for each in resources(plan)}
    assert planned["aws_vpc.this"]["tags_all"] == {"Name": "db", "project": "labswarm"}
    assert "id" not in planned["aws_vpc.this"]
    assert planned["aws_launch_template.worker"]["description"] is None
    assert len([name for name in planned if name.startswith("aws_subnet.private")]) == 2

    outputs = terraform.apply()
    assert outputs["role"] == f"arn:aws:iam::{made_up.ACCOUNT}:role/labswarm-db"
    assert outputs["template"]["id"].startswith("lt-")
    assert outputs["template"]["version"] == 1
    assert ":secret:labswarm/db/swarm-join-" in outputs["secret"]
    assert outputs["memory_mib"] == 32 * 1024
    assert changed(terraform.plan()) == {}

    assert changed(terraform.plan(description="rolled")) == {
        "aws_launch_template.worker": ["update"],
        "aws_autoscaling_group.workers": ["update"],  # by the template's version
    }
    assert terraform.apply(description="rolled")["template"]["version"] == 2

    terraform.destroy()
    assert resources(terraform.state()) == []


def test_scripts_meet_a_stand_in_of_the_aws_cli(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    monkeypatch.setenv("AWS_CALLS", str(calls))
    terraform = sample()
    terraform.init()
    terraform.apply()
    assert not calls.exists()

    terraform.destroy()

    assert calls.read_text() == (
        "aws autoscaling describe-auto-scaling-groups"
        " --auto-scaling-group-names labswarm-db-workers\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("min_size ", "minimum_size ", 'argument named "minimum_size" is not expected'),
        ("  max_size            = 10\n", "", '"max_size" is required'),
        ("min_size            = 0", "min_size            = []", "number required"),
        (
            "  metadata_options {",
            "  metadata_options {\n  }\n  metadata_options {",
            'No more than 1 "metadata_options" blocks are allowed',
        ),
        ("aws_iam_role.worker.arn", "aws_iam_role.worker.arm", "Unsupported attribute"),
    ],
)
def test_a_value_that_the_provider_would_refuse_is_refused(
    sample: Sample, old: str, new: str, said: str
) -> None:
    terraform = sample()
    file = terraform.folder / "main.tf"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    terraform.init()
    with pytest.raises(TerraformFailed, match=said):
        terraform.validate()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "  description = var.description\n",
            '  user_data = base64encode(join("", [for n in range(1024) : "of 17 characters."]))\n',
            "user_data has 17408: AWS takes 0 to 16384",
        ),
        (
            '"labswarm-${var.name}"\n  assume',
            'join("", [for _ in range(65) : "x"])\n  assume',
            "name has 65",
        ),
        ("{ Name = var.name }", "{ for n in range(51) : n => n }", "there are 52 tags"),
    ],
    ids=["user data", "name", "tags"],
)
def test_a_value_beyond_a_limit_of_aws_is_refused_at_plan(
    sample: Sample, old: str, new: str, said: str
) -> None:
    terraform = sample()
    file = terraform.folder / "main.tf"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    terraform.init()
    with pytest.raises(TerraformFailed, match=said):
        terraform.plan()


def test_a_change_that_replaces_replaces_and_another_updates(sample: Sample) -> None:
    terraform = sample()
    terraform.init()
    terraform.apply()
    assert terraform.changes(description="rolled")["aws_launch_template.worker"] == ["update"]

    renamed = terraform.changes(name="dc")

    assert renamed["aws_launch_template.worker"] == ["delete", "create"]
    assert renamed["aws_iam_role.worker"] == ["delete", "create"]
    # Its name is a tag, and its template's id is another one.
    assert renamed["aws_vpc.this"] == ["update"]


def test_every_resource_of_the_modules_has_its_replacing_attributes() -> None:
    known = {name for name in names(BASE).resources if name not in replacements.REPLACING}
    assert known == set(), "add them to replacements.REPLACING"


@needs_the_package
def test_limits_and_replacements_name_attributes_that_the_provider_has() -> None:
    kinds = frozenset({*limits.LIMITS, *replacements.REPLACING})
    read = schema(Names(kinds, frozenset()))["resources"]
    for table in (limits.LIMITS, replacements.REPLACING):
        for kind, attributes in table.items():
            held = {*read[kind]["attributes"], *read[kind]["blocks"]}
            assert set(attributes) <= held, kind


def test_terraforms_own_tests_run_and_can_fail(sample: Sample) -> None:
    terraform = sample()
    terraform.init()
    assert "3 passed, 0 failed" in terraform.test()

    file = terraform.folder / "main.tf"
    file.write_text(file.read_text().replace("^[a-z][a-z0-9-]{0,19}$", ".*"))
    with pytest.raises(TerraformFailed, match=r"[1-9] failed"):
        terraform.test()


def test_a_validation_refuses_with_its_sentence(sample: Sample) -> None:
    terraform = sample()
    terraform.init()
    with pytest.raises(TerraformFailed, match="A name is a letter"):
        terraform.plan(name="Data Bases")


def test_a_data_source_without_an_answer_is_an_error() -> None:
    with pytest.raises(NoAnswer, match="aws_weather"):
        answer("aws_weather", {})


@pytest.mark.parametrize(
    ("name", "cpus", "memory_mib", "architecture"),
    [
        ("t3.medium", 2, 4096, "x86_64"),
        ("t4g.small", 2, 2048, "arm64"),
        ("m7g.2xlarge", 8, 32768, "arm64"),
        ("m6i.large", 2, 8192, "x86_64"),
        ("r7i.xlarge", 4, 32768, "x86_64"),
        ("c7g.4xlarge", 16, 32768, "arm64"),
        ("g4dn.xlarge", 4, 16384, "x86_64"),
    ],
)
def test_instance_types_have_their_sizes(
    name: str, cpus: int, memory_mib: int, architecture: str
) -> None:
    size = answer("aws_ec2_instance_type", {"instance_type": name})
    assert (size["default_vcpus"], size["memory_size"]) == (cpus, memory_mib)
    assert size["supported_architectures"] == [architecture]


def test_a_policy_document_is_written_as_iam_reads_it() -> None:
    text = policy.document(
        {
            "source_policy_documents": [
                json.dumps({"Statement": [{"Sid": "Old", "Effect": "Deny", "Action": "*"}]})
            ],
            "statement": [
                {
                    "sid": "Old",
                    "actions": ["s3:PutObject", "s3:GetObject"],
                    "resources": ["arn:aws:s3:::backups/*"],
                    "principals": [{"type": "AWS", "identifiers": ["*"]}],
                    "condition": [{"test": "Bool", "variable": "aws:Secure", "values": ["true"]}],
                }
            ],
        }
    )
    assert json.loads(text) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Old",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": "arn:aws:s3:::backups/*",
                "Principal": {"AWS": "*"},
                "Condition": {"Bool": {"aws:Secure": "true"}},
            }
        ],
    }


def test_made_up_values_are_well_formed_and_never_equal() -> None:
    first, second = (made_up.identity("aws_instance", {}) for _ in range(2))
    assert first != second
    assert len(first) == len("i-0123456789abcdef0")
    subnet = made_up.identity("aws_subnet", {"availability_zone": "eu-west-1b"})
    found = answer("aws_subnet", {"id": subnet, "region": "eu-west-1"})
    assert found["availability_zone"] == "eu-west-1b"
    assert made_up.identity("aws_iam_role", {"name": "hub"}) == "hub"
    assert made_up.arn("aws_ssm_parameter", {"name": "/labswarm/x", "region": "eu-west-3"}) == (
        f"arn:aws:ssm:eu-west-3:{made_up.ACCOUNT}:parameter/labswarm/x"
    )


def test_tables_are_written_of_variables_and_outputs(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(
        """variable "seat" {
  description = "What a student has | at least."
  type = object({
    memory_mib = number # MiB
    cpu        = optional(number, 0.5)
  })
}

variable "images" {
  description = <<-EOT
    Images
    of the class.
  EOT
  type        = list(string)
  default = [
    "a",
    "b",
  ]
  validation {
    condition     = length(var.images) > 0
    error_message = "None."
  }
}

output "id" {
  description = "Its id."
  value       = 1
}
"""
    )
    readme = tmp_path / "README.md"
    readme.write_text(f"# Module\n\n{tables.BEGIN}\nold\n{tables.END}\n\nThe end.\n")
    assert list(tables.write([tmp_path])) == [readme]
    assert readme.read_text() == (
        f"""# Module

{tables.BEGIN}

## Inputs

| name | description | type | default |
|---|---|---|---|
| `seat` | What a student has \\| at least. | """
        """`object({ memory_mib = number, cpu = optional(number, 0.5) })` | required |
| `images` | Images of the class. | `list(string)` | `["a", "b"]` |

## Outputs

| name | description |
|---|---|
| `id` | Its id. |

"""
        f"""{tables.END}

The end.
"""
    )
    assert list(tables.write([tmp_path])) == []
    (tmp_path / "README.md").write_text("# No tables\n")
    with pytest.raises(tables.NoPlace):
        list(tables.write([tmp_path]))
