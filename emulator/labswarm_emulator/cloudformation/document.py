"""AWS::SSM::Document: content given as an object, and updates by UpdateMethod.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html
"""

# ruff: noqa: ARG001  # the signatures are moto's

import json
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.ssm.models import Document, ssm_backends


def install() -> None:
    """NewVersion makes a new default version; Replace of a named document is refused, as on AWS."""

    def create(
        cls: type[Document],
        /,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> Document:
        properties = cloudformation_json["Properties"]
        documents = ssm_backends[account_id][region_name].create_document(
            content=_text(properties["Content"]),
            requires=properties.get("Requires"),
            attachments=properties.get("Attachments"),
            name=properties.get("Name", resource_name),
            version_name=properties.get("VersionName"),
            document_type=properties.get("DocumentType", "Command"),
            document_format=properties.get("DocumentFormat", "JSON"),
            target_type=properties.get("TargetType"),
            tags=properties.get("Tags"),
        )
        return documents.get_default_version()

    def update(
        cls: type[Document],
        /,
        original_resource: Document,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Document:
        properties = cloudformation_json["Properties"]
        backend = ssm_backends[account_id][region_name]
        name = original_resource.name
        if properties.get("UpdateMethod", "Replace") == "Replace":
            if properties.get("Name") == name:
                raise ValidationError(
                    message="CloudFormation cannot update a stack when a custom-named resource "
                    f"requires replacing. Rename {name} and update the stack again."
                )
            made = create(cls, new_resource_name, cloudformation_json, account_id, region_name)
            backend.delete_document(name, "", "", force=True)
            return made
        content = _text(properties["Content"])
        if content == original_resource.content:
            return original_resource
        backend.update_document(
            content=content,
            attachments=properties.get("Attachments"),
            name=name,
            version_name=properties.get("VersionName"),
            document_version="$LATEST",
            document_format=properties.get("DocumentFormat", "JSON"),
            target_type=properties.get("TargetType"),
        )
        latest = backend._get_documents(name).latest_version
        backend.update_document_default_version(name, latest)
        return backend._get_documents(name).get_default_version()

    Document.create_from_cloudformation_json = classmethod(create)
    Document.update_from_cloudformation_json = classmethod(update)
    Document.cloudformation_name_type = staticmethod(lambda: "Name")


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)
