"""The version of a launch template that an instance was made of."""

from typing import Any

import pytest

from labswarm.groups import version_of

TEMPLATE = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "workers"}


@pytest.mark.parametrize(
    ("instance", "version"),
    [
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "7"}}, 7),
        # Older than the first version of the group's own.
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-2", "Version": "7"}}, 0),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "$Latest"}}, 0),
        ({}, 0),
    ],
)
def test_an_instance_of_another_template_is_older_than_any_version(
    instance: dict[str, Any], version: int
) -> None:
    assert version_of(instance, TEMPLATE) == version
