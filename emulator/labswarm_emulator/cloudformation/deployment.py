"""The deployment of a stack from one template to the next.

moto removes before it adds, forgets a resource that has no update, keeps the outputs of the first
template and lets an error out as a server error.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlparse

import moto.cloudformation.responses
from moto.cloudformation.models import ChangeSet, CloudFormationBackend, Event, Stack
from moto.cloudformation.parsing import (
    ResourceMap,
    parse_and_create_resource,
    parse_and_delete_resource,
    parse_and_update_resource,
)
from moto.s3.models import s3_backends

from labswarm_emulator.cloudformation.references import in_order, references
from labswarm_emulator.emulator import Emulator


class ResourceFailed(Exception):
    """A resource could not be made, changed or removed."""

    def __init__(self, logical_id: str, resource_type: str, reason: str) -> None:
        super().__init__(f"{logical_id} ({resource_type}): {reason}")
        self.logical_id = logical_id
        self.resource_type = resource_type
        self.reason = reason


class Deployment:
    """One change of a stack's resources to those of `template`, which is expanded already."""

    def __init__(
        self, stack: Stack, template: dict[str, Any], parameters: dict[str, str] | None
    ) -> None:
        self._stack = stack
        self._resources: ResourceMap = stack.resource_map
        self._template = template
        self._parameters = parameters
        self._old: dict[str, Any] = dict(self._resources._resource_json_map)

    def run(self) -> None:
        """Add and change in the order of dependencies, then remove. Raises ResourceFailed."""
        resources = self._resources
        # Nothing is "modified" in a first deployment, where moto's map already has the template.
        existing = set(resources._parsed_resources) & set(self._old)
        changed = set(resources.build_resource_diff(self._template, self._parameters)["Modify"])
        self._load()
        wanted = dict(self._wanted())
        replaced: set[str] = set()
        for name in in_order(wanted):
            if name not in existing:
                self._add(name, wanted[name])
            elif name in changed or references(wanted[name]) & replaced:
                before = resources[name].physical_resource_id
                self._change(name, wanted[name])
                if resources[name].physical_resource_id != before:
                    replaced.add(name)
        for name in reversed(in_order(self._old)):
            if name in existing and name not in wanted:
                self._remove(name)

    def undo(self) -> None:
        """Remove all resources: the rollback of a stack that could not be created."""
        for name in reversed(in_order(self._resources._resource_json_map)):
            if name in self._resources._parsed_resources:
                self._delete(name, self._resources._resource_json_map[name])

    def _load(self) -> None:
        resources = self._resources
        resources._template = self._template
        if self._parameters:
            resources.input_parameters = self._parameters
        resources.load_mapping()
        resources.load_parameters()
        resources.load_conditions()
        resources._resource_json_map = self._template["Resources"]
        resources.tags.update(
            {
                "aws:cloudformation:stack-name": self._stack.name,
                "aws:cloudformation:stack-id": self._stack.stack_id,
            }
        )

    def _wanted(self) -> Iterator[tuple[str, Any]]:
        for name, definition in self._template["Resources"].items():
            condition = definition.get("Condition")
            if condition is None or self._resources.lazy_condition_map[condition]:
                yield name, definition

    def _add(self, name: str, definition: Any) -> None:
        with self._reported("CREATE", name, definition):
            self._create(name, definition)

    def _change(self, name: str, definition: Any) -> None:
        resources = self._resources
        with self._reported("UPDATE", name, definition):
            changed = parse_and_update_resource(
                name, definition, resources, resources._account_id, resources._region_name
            )
            if changed is None:  # the type has no update: a new one takes its place
                self._delete(name, self._old[name])
                self._create(name, definition)
            else:
                resources._parsed_resources[name] = changed

    def _remove(self, name: str) -> None:
        definition = self._old[name]
        if definition.get("DeletionPolicy") == "Retain":
            self._resources._parsed_resources.pop(name)
            return
        with self._reported("DELETE", name, definition):
            self._delete(name, definition)

    def _create(self, name: str, definition: Any) -> None:
        resources = self._resources
        resources._parsed_resources[name] = parse_and_create_resource(
            name, definition, resources, resources._account_id, resources._region_name
        )

    def _delete(self, name: str, definition: Any) -> None:
        resources = self._resources
        resource = resources._parsed_resources.pop(name)
        if callable(getattr(resource, "delete", None)):
            resource.delete(resources._account_id, resources._region_name)
        else:
            parse_and_delete_resource(
                resource.physical_resource_id,
                definition,
                resources._account_id,
                resources._region_name,
            )

    def _reported(self, action: str, name: str, definition: Any) -> "_Reported":
        return _Reported(self._stack, action, name, definition["Type"])


class _Reported:
    """Writes the stack events of one resource, and names it in its errors."""

    def __init__(self, stack: Stack, action: str, logical_id: str, resource_type: str) -> None:
        self._stack, self._action = stack, action
        self._logical_id, self._type = logical_id, resource_type

    def __enter__(self) -> None:
        self._report("IN_PROGRESS")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self._report("COMPLETE")
        elif isinstance(error, Exception):
            reason = str(getattr(error, "message", "") or error or type(error).__name__)
            self._report("FAILED", reason)
            raise ResourceFailed(self._logical_id, self._type, reason) from error

    def _report(self, status: str, reason: str | None = None) -> None:
        resource = self._stack.resource_map._parsed_resources.get(self._logical_id)
        physical_id = getattr(resource, "physical_resource_id", None) or ""
        self._stack.events.append(
            Event(
                stack_id=self._stack.stack_id,
                stack_name=self._stack.name,
                logical_resource_id=self._logical_id,
                physical_resource_id=str(physical_id),
                resource_type=self._type,
                resource_status=f"{self._action}_{status}",
                resource_status_reason=reason,
                resource_properties=None,
            )
        )


def install(emulator: Emulator) -> None:
    """Deploy by `Deployment`, whichever API asked for it."""

    def deploy(stack: Stack, template: str, parameters: dict[str, str] | None, action: str) -> None:
        stack._add_stack_event(f"{action}_IN_PROGRESS", resource_status_reason="User Initiated")
        stack.status = f"{action}_IN_PROGRESS"
        stack.template = template
        if parameters is not None:
            stack.parameters = parameters
        stack._parse_template()
        stack.description = stack.template_dict.get("Description")
        deployment = Deployment(stack, stack.template_dict, parameters)
        try:
            deployment.run()
        except ResourceFailed as failed:
            if action == "CREATE":
                deployment.undo()
                stack.status = "ROLLBACK_COMPLETE"
            else:
                stack.status = "UPDATE_ROLLBACK_FAILED"
            stack._add_stack_event(stack.status, resource_status_reason=str(failed))
            emulator.record.write(
                "cloudformation", stack.status, stack=stack.name, reason=str(failed)
            )
            return
        stack.output_map = stack._create_output_map()
        stack.status = f"{action}_COMPLETE"
        stack._add_stack_event(stack.status)
        emulator.record.write("cloudformation", stack.status, stack=stack.name)

    def create_resources(stack: Stack) -> None:
        deploy(stack, stack.template, stack.parameters, "CREATE")

    def update(
        stack: Stack,
        template: str,
        role_arn: str | None = None,
        parameters: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        stack.role_arn = role_arn
        stack.tags = stack.tags if tags is None else tags
        deploy(stack, template, parameters, "UPDATE")

    def execute_change_set(
        backend: CloudFormationBackend,
        change_set_name: str,
        stack_name: str | None = None,  # noqa: ARG001
    ) -> None:
        change_set: ChangeSet = backend.describe_change_set(change_set_name)
        stack = backend.stacks[change_set.stack_id]
        deploy(stack, change_set.template, change_set.parameters, change_set.change_set_type)
        change_set.execution_status = "EXECUTE_COMPLETE"

    def template_from_s3(url: str, account_id: str, partition: str) -> str:
        # `sam deploy` gives the address it uploaded to: the emulator's, the bucket in the path.
        address = urlparse(url)
        path = address.path.lstrip("/")
        host = address.hostname or ""
        if host == emulator.settings.address or host == "localhost" or host.startswith("s3"):
            bucket, key = path.split("/", 1)
        else:
            bucket, key = host.split(".")[0], path
        template = s3_backends[account_id][partition].get_object(bucket, key)
        if template is None:
            raise moto.cloudformation.exceptions.ValidationError(
                message=f"S3 error: The specified key does not exist: {url}"
            )
        return str(template.value.decode())

    Stack.create_resources = create_resources
    Stack.update = update
    CloudFormationBackend.execute_change_set = execute_change_set
    moto.cloudformation.responses.get_stack_from_s3_url = template_from_s3
