"""EC2's launch templates: versions that are made from one another, and deleted one by one.

moto takes a version's place in its list for its number, makes every version from nothing, and
deletes none. Where no page is named, the rules are those of the operation's own page under
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates as Api

NO_SUCH_VERSION = "launchTemplateVersionDoesNotExist"
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ResponseError.html"""
IS_DEFAULT = "unexpectedError"
"""AWS says that the default version cannot be deleted, but not the code of its refusal."""


def install() -> None:
    """Correct moto's launch templates in place."""
    LaunchTemplate.create_version = _create_version
    LaunchTemplate.get_version = _get_version
    LaunchTemplate.default_version = lambda template: _get_version(
        template, template.default_version_number
    )
    create = Api.create_launch_template_version

    def create_launch_template_version(api: Api) -> ActionResult:
        """With a source, missing fields are taken from it."""
        source = api._get_param("SourceVersion")
        answer = create(api)
        if source is None:
            return answer
        made: dict[str, Any] = answer.result["LaunchTemplateVersion"]
        template = _template(api)
        version = _get_version(template, made["VersionNumber"])
        try:
            inherited = _get_version(template, source).data
        except InvalidLaunchTemplateVersionNotFound:
            template.versions.remove(version)
            raise
        version.data = made["LaunchTemplateData"] = {**inherited, **version.data}
        return answer

    Api.create_launch_template_version = create_launch_template_version
    Api.delete_launch_template_versions = _delete_launch_template_versions


def _create_version(
    template: LaunchTemplate, data: dict[str, Any], description: str
) -> LaunchTemplateVersion:
    """A number is given once, also after its version was deleted.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-launch-template.html
    """
    template.numbers_given = getattr(template, "numbers_given", 0) + 1
    version = LaunchTemplateVersion(template, template.numbers_given, data, description)
    template.versions.append(version)
    return version


def _get_version(template: LaunchTemplate, number: Any) -> LaunchTemplateVersion:
    wanted = str(number).lower()
    if wanted == "$latest":
        return template.versions[-1]
    if wanted == "$default":
        wanted = str(template.default_version_number)
    for version in template.versions:
        if str(version.number) == wanted:
            return version
    raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=number)


def _delete_launch_template_versions(api: Api) -> ActionResult:
    """The answer names templates that cannot be deleted; they stop no others.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    """
    template = _template(api)
    api.error_on_dryrun()
    deleted, kept = [], []
    for number in api._get_param("Versions", []):
        said = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": int(number),
        }
        refusal = _delete(template, number)
        if refusal is None:
            deleted.append(said)
        else:
            kept.append({**said, "ResponseError": refusal})
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": deleted,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }
    )


def _delete(template: LaunchTemplate, number: str) -> dict[str, str] | None:
    """Delete a version; why it is not, or None."""
    try:
        version = _get_version(template, int(number))
    except InvalidLaunchTemplateVersionNotFound:
        return {"Code": NO_SUCH_VERSION, "Message": f"There is no version {number}"}
    if template.is_default(version):
        return {"Code": IS_DEFAULT, "Message": f"Version {number} is the default version"}
    template.versions.remove(version)
    return None


def _template(api: Api) -> LaunchTemplate:
    name, template_id = api._get_param("LaunchTemplateName"), api._get_param("LaunchTemplateId")
    backend = api.ec2_backend
    if name:
        return backend.get_launch_template_by_name(name)
    return backend.get_launch_template(template_id)
