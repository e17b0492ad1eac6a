"""A stand-in for `hashicorp/aws` that terraform talks to as to the real one (plugin protocol 6).

It plans as the provider's framework does (values that AWS chooses are unknown until applied),
makes up AWS's choices, and remembers nothing: the state is terraform's. It knows AWS's limits on
single resources (`limits`) and the changes that replace one (`replacements`). Started, it writes
one line of JSON, the value of TF_REATTACH_PROVIDERS, and serves until its input ends.

    python -m tests.infrastructure.terraform.provider terraform-base
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import cached_property
from pathlib import Path
from typing import Any

import grpc
import msgpack
from tests.infrastructure.terraform import answers, limits, made_up, replacements
from tests.infrastructure.terraform.schema import (
    Attribute,
    Block,
    Nested,
    Schema,
    UnknownType,
    names,
    schema,
)
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

ADDRESS = "registry.terraform.io/hashicorp/aws"
UNKNOWN = msgpack.ExtType(0, b"\0")
NESTING = pb.Schema.NestedBlock
# Attributes that AWS raises with every change.
COUNTED = {"aws_launch_template": "latest_version", "aws_ssm_parameter": "version"}

Value = dict[str, Any]


def packed(value: Any) -> pb.DynamicValue:
    """A value as terraform sends and wants it."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def unpacked(value: pb.DynamicValue) -> Any:
    """The value that terraform sent; unknown parts are `msgpack.ExtType`."""
    if not value.msgpack:
        return json.loads(value.json) if value.json else None
    return msgpack.unpackb(value.msgpack, strict_map_key=False)


def is_unknown(value: Any) -> bool:
    """Whether terraform does not know this value yet."""
    return isinstance(value, msgpack.ExtType)


def wire_schema(block: Block) -> pb.Schema:
    """The schema of one resource, data source or provider in the protocol's form."""
    return pb.Schema(version=0, block=_wire_block(block))


def _wire_block(block: Block) -> pb.Schema.Block:
    return pb.Schema.Block(
        attributes=[_wire_attribute(*each) for each in block["attributes"].items()],
        block_types=[_wire_nested(*each) for each in block["blocks"].items()],
    )


def _wire_attribute(name: str, attribute: Attribute) -> pb.Schema.Attribute:
    flags = {flag: attribute[flag] for flag in ("required", "optional", "computed")}
    nested = attribute["nested"]
    if nested is None:
        return pb.Schema.Attribute(name=name, type=json.dumps(attribute["type"]).encode(), **flags)
    inner = [_wire_attribute(*each) for each in nested["attributes"].items()]
    single = pb.Schema.Object(attributes=inner, nesting=pb.Schema.Object.SINGLE)
    return pb.Schema.Attribute(name=name, nested_type=single, **flags)


def _wire_nested(name: str, nested: Nested) -> pb.Schema.NestedBlock:
    return NESTING(
        type_name=name,
        block=_wire_block(nested["block"]),
        nesting=getattr(NESTING, nested["nesting"].upper()),
        min_items=nested["min"],
        max_items=nested["max"],
    )


def left_open(block: Block, value: Value) -> Value:
    """The value with all that AWS chooses, and nobody has set, unknown."""
    opened = dict(value)
    for name, attribute in block["attributes"].items():
        if attribute["computed"] and opened.get(name) is None:
            opened[name] = UNKNOWN
    return _in_blocks(block, opened, left_open)


def made_up_values(resource: str, block: Block, value: Value) -> Value:
    """The value with everything unknown made up, ids first."""
    chosen = dict(value)
    attributes = block["attributes"]
    for name in sorted(attributes, key=lambda name: (name not in {"name", "id"}, name != "name")):
        if is_unknown(chosen.get(name)):
            known = {key: each for key, each in chosen.items() if not is_unknown(each)}
            chosen[name] = made_up.value(resource, name, attributes[name]["type"], known)

    def inner(block: Block, value: Value) -> Value:
        return made_up_values(resource, block, value)

    return _in_blocks(block, chosen, inner)


def _in_blocks(block: Block, value: Value, change: Callable[[Block, Value], Value]) -> Value:
    for name, nested in block["blocks"].items():
        held = value.get(name)
        if isinstance(held, list):
            value[name] = [
                change(nested["block"], each) if isinstance(each, dict) else each for each in held
            ]
        elif isinstance(held, dict):
            value[name] = change(nested["block"], held)
    return value


class Provider(rpc.ProviderServicer):  # type: ignore[misc]
    """The calls of the plugin protocol that plan, apply, destroy, validate and test make."""

    def __init__(self, served: Schema) -> None:
        self._schema = served
        self._region = made_up.REGION
        self._default_tags: dict[str, str] = {}

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        return self._answer

    @cached_property
    def _answer(self) -> Any:
        """Terraform asks for it with every walk: it is made once, and terraform may keep it."""
        return pb.GetProviderSchema.Response(
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
            provider=wire_schema(self._schema["provider"]),
            resource_schemas={
                name: wire_schema(block) for name, block in self._schema["resources"].items()
            },
            data_source_schemas={
                name: wire_schema(block) for name, block in self._schema["data"].items()
            },
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
        config = unpacked(request.config)
        region = config.get("region")
        self._region = region if isinstance(region, str) else made_up.REGION
        self._default_tags = {}
        for block in config.get("default_tags") or []:
            if isinstance(block["tags"], dict):
                self._default_tags |= block["tags"]
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: N802
        state = pb.DynamicValue(json=request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=state)

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        proposed = unpacked(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        prior = unpacked(request.prior_state)
        block = self._schema["resources"][request.type_name]
        planned = left_open(block, self._settled(block, proposed))
        counted = COUNTED.get(request.type_name)
        if counted and prior is not None and planned != prior:
            planned[counted] = UNKNOWN
        if request.type_name == "aws_acm_certificate":
            planned = with_validations(planned)
        replacing = (
            [] if prior is None else replacements.replacing(request.type_name, prior, planned)
        )
        # As the real one, of the older framework: its plan may differ from its input.
        return pb.PlanResourceChange.Response(
            planned_state=packed(planned),
            legacy_type_system=True,
            requires_replace=[_path(name) for name in replacing],
            diagnostics=[
                pb.Diagnostic(
                    severity=pb.Diagnostic.ERROR, summary=sentence, attribute=_path(attribute)
                )
                for attribute, sentence in limits.problems(request.type_name, planned)
            ],
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        planned = unpacked(request.planned_state)
        if planned is None:
            return pb.ApplyResourceChange.Response(new_state=request.planned_state)
        prior = unpacked(request.prior_state)
        counted = COUNTED.get(request.type_name)
        if counted and prior is not None and is_unknown(planned.get(counted)):
            planned[counted] = prior[counted] + 1
        block = self._schema["resources"][request.type_name]
        applied = made_up_values(request.type_name, block, planned)
        return pb.ApplyResourceChange.Response(new_state=packed(applied), legacy_type_system=True)

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: N802
        config = unpacked(request.config)
        block = self._schema["data"][request.type_name]
        settled = self._settled(block, config)
        try:
            answer = answers.answer(request.type_name, settled)
        except answers.NoAnswer as missing:
            problem = pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=str(missing))
            return pb.ReadDataSource.Response(diagnostics=[problem])
        read = left_open(block, settled)
        for name in config:
            if name in answer and (is_unknown(read[name]) or read[name] is None):
                read[name] = answer[name]
            elif is_unknown(read[name]):
                read[name] = made_up.blank(block["attributes"][name]["type"])
        return pb.ReadDataSource.Response(state=packed(read))

    def _settled(self, block: Block, value: Value) -> Value:
        """The value with region and all tags, which the provider knows when it plans."""
        settled = dict(value)
        if "region" in block["attributes"] and settled.get("region") is None:
            settled["region"] = self._region
        if "tags_all" in block["attributes"]:
            tags = settled.get("tags")
            unknown = is_unknown(tags) or any(is_unknown(each) for each in (tags or {}).values())
            settled["tags_all"] = UNKNOWN if unknown else self._default_tags | (tags or {})
        return settled


def _path(attribute: str) -> pb.AttributePath:
    return pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=attribute)])


def with_validations(certificate: Value) -> Value:
    """How many names a certificate validates is known when it is planned; for_each counts on it."""
    if not is_unknown(certificate.get("domain_validation_options")):
        return certificate
    others = certificate.get("subject_alternative_names")
    named = [certificate["domain_name"], *(others if isinstance(others, list) else [])]
    if any(is_unknown(name) for name in named):
        return certificate
    options = [
        {
            "domain_name": name,
            "resource_record_name": f"_made-up.{name}.",
            "resource_record_type": "CNAME",
            "resource_record_value": "_made-up.acm-validations.example.",
        }
        for name in dict.fromkeys(named)
    ]
    return certificate | {"domain_validation_options": options}


def served(folder: Path) -> Schema:
    """The schema of the resources that the Terraform files under a folder name."""
    return schema(names(folder))


def serve(folder: Path, until: Iterator[str]) -> None:
    """Serve, say how to attach, and end when `until` does."""
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
    )
    rpc.add_ProviderServicer_to_server(Provider(served(folder)), server)
    with tempfile.TemporaryDirectory() as temporary:
        socket = f"{temporary}/provider"
        server.add_insecure_port(f"unix://{socket}")
        server.start()
        attach = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": socket},
        }
        print(json.dumps({ADDRESS: attach}), flush=True)
        for _ in until:
            pass
        server.stop(0)


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]), sys.stdin)
    except UnknownType as unknown:
        sys.exit(str(unknown))
