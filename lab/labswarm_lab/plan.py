"""A cluster as Terraform plans it: the lab creates its resources in the emulator from it.

A plan is the output of `terraform show -json`. `cluster.plan.json` next to this file has the used
part of a plan of terraform-base/stacks/cluster with the values of lab/lab.tfvars; a test plans
again and compares. https://developer.hashicorp.com/terraform/internals/json-format
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labswarm_operator.refusal import Refusal

DEFAULT = Path(__file__).with_name("cluster.plan.json")
READ = {
    "aws_autoscaling_group": (
        *("name", "min_size", "max_size", "protect_from_scale_in", "suspended_processes"),
        *("mixed_instances_policy", "tag"),
    ),
    "aws_autoscaling_lifecycle_hook": (
        *("name", "lifecycle_transition", "heartbeat_timeout", "default_result"),
    ),
    "aws_launch_template": ("name", "instance_type", "metadata_options"),
}
"""The fields that are read of each resource, by its type."""


@dataclass(frozen=True)
class GroupPlan:
    """One group of workers.

    `settings` is the part of the cluster's description that is known before anything is there; the
    others are the planned values of its resources, by Terraform's names.
    """

    settings: Mapping[str, Any]
    group: Mapping[str, Any]
    template: Mapping[str, Any]
    hooks: tuple[Mapping[str, Any], ...]

    @property
    def cluster(self) -> str:
        """The app's name for the cluster of these workers."""
        return str(self.settings["name"])

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the group's instances."""
        return {tag["key"]: tag["value"] for tag in self.group["tag"]}

    @property
    def suspended(self) -> list[str]:
        """The processes of the group that are suspended from its start."""
        return list(self.group["suspended_processes"] or ())

    @property
    def instance_types(self) -> list[str]:
        """The types of its instances, the first one preferred."""
        (policy,) = self.group["mixed_instances_policy"]
        (template,) = policy["launch_template"]
        return [override["instance_type"] for override in template["override"]]

    @property
    def distribution(self) -> dict[str, Any]:
        """How much of it is on-demand, in the words of Auto Scaling's API."""
        (policy,) = self.group["mixed_instances_policy"]
        (planned,) = policy["instances_distribution"]
        return {
            "".join(word.capitalize() for word in name.split("_")): value
            for name, value in planned.items()
            if value is not None
        }


def read_plan(path: Path, cluster: str) -> list[GroupPlan]:
    """The groups of a plan, as those of `cluster`: the main one first.

    Raises Refusal when the file is no plan of a cluster.
    """
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        planned = plan["planned_values"]
        settings = planned["outputs"]["settings"]["value"]
        names = sorted(settings, key=len)
        return [_group(planned, settings[name], names[0], cluster) for name in names]
    except OSError as error:
        raise Refusal(f"--plan: {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Refusal(
            f"--plan: {path} is not a plan of a cluster ({type(error).__name__}: {error}). Make "
            "one with `terraform plan -out FILE` and `terraform show -json FILE`."
        ) from error


def extract(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a plan that is read here, in a plan's own form."""
    resources = [
        {
            "address": resource["address"],
            "type": resource["type"],
            "values": {name: resource["values"].get(name) for name in READ[resource["type"]]},
        }
        for resource in _resources(plan["planned_values"]["root_module"])
        if resource["type"] in READ
    ]
    settings = plan["planned_values"]["outputs"]["settings"]["value"]
    return {
        "format_version": plan["format_version"],
        "planned_values": {
            "outputs": {"settings": {"value": settings}},
            "root_module": {"resources": sorted(resources, key=lambda one: one["address"])},
        },
    }


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from _resources(child)


def _group(
    planned: Mapping[str, Any], settings: Mapping[str, Any], main: str, cluster: str
) -> GroupPlan:
    resources = list(_resources(planned["root_module"]))
    (group,) = (
        resource
        for resource in resources
        if resource["type"] == "aws_autoscaling_group"
        and resource["values"]["name"] == settings["asg"]
    )
    module = group["address"].rpartition("aws_autoscaling_group.")[0]

    def beside(kind: str) -> tuple[Mapping[str, Any], ...]:
        of_module = f"{module}{kind}."
        return tuple(
            _renamed(resource["values"], main, cluster)
            for resource in resources
            if resource["address"].startswith(of_module)
        )

    (template,) = beside("aws_launch_template")
    return GroupPlan(
        settings=_renamed(settings, main, cluster),
        group=_renamed(group["values"], main, cluster),
        template=template,
        hooks=beside("aws_autoscaling_lifecycle_hook"),
    )


def _renamed(value: Any, main: str, cluster: str) -> Any:
    """The same with the lab's own name where the plan has its cluster's."""
    if isinstance(value, Mapping):
        return {name: _renamed(one, main, cluster) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, main, cluster) for one in value]
    if not isinstance(value, str):
        return value
    if value == main or value.startswith(f"{main}-"):
        return cluster + value.removeprefix(main)
    ours = f"labswarm-{main}-"
    return f"labswarm-{cluster}-" + value.removeprefix(ours) if value.startswith(ours) else value


if __name__ == "__main__":
    json.dump(extract(json.load(sys.stdin)), sys.stdout, indent=1, sort_keys=True)
    print()
