"""Secrets Manager keeps the join token as on AWS: versions, stages and refusals."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def secrets(emulator: RunningEmulator) -> Any:
    return emulator.client("secretsmanager")


def refused(call: Any, **given: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as refusal:
        call(**given)
    answer: Any = refusal.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], answer["Error"]["Message"], status


@pytest.mark.aws(
    "Secrets Manager",
    "PutSecretValue, GetSecretValue",
    "A new value is AWSCURRENT at once, and the one before it AWSPREVIOUS; each is read by stage and by version.",  # noqa: E501
    "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html",
)
def test_a_new_value_is_current_and_the_one_before_is_previous(secrets: Any, name: str) -> None:
    first = secrets.create_secret(Name=name, SecretString="one")
    second = secrets.put_secret_value(SecretId=name, SecretString="two")

    current = secrets.get_secret_value(SecretId=name)
    previous = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
    by_version = secrets.get_secret_value(SecretId=first["ARN"], VersionId=first["VersionId"])

    assert (current["SecretString"], current["VersionId"]) == ("two", second["VersionId"])
    assert current["VersionStages"] == ["AWSCURRENT"]
    assert previous["SecretString"] == by_version["SecretString"] == "one"


@pytest.mark.aws(
    "Secrets Manager",
    "PutSecretValue",
    "A value put as AWSPENDING, as a rotation does, is not the current one.",
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html",
)
def test_a_pending_value_is_not_the_current_one(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="one")
    secrets.put_secret_value(SecretId=name, SecretString="two", VersionStages=["AWSPENDING"])

    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "one"
    pending = secrets.get_secret_value(SecretId=name, VersionStage="AWSPENDING")
    assert pending["SecretString"] == "two"


@pytest.mark.aws(
    "Secrets Manager",
    "PutSecretValue",
    "With the token and the value of before it changes nothing; with that token and another value it is a ResourceExistsException.",  # noqa: E501
    "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html",
)
def test_a_put_that_is_tried_again_makes_no_second_version(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="one")
    given = {"SecretId": name, "ClientRequestToken": "t" * 32}

    versions = {
        secrets.put_secret_value(**given, SecretString="two")["VersionId"] for _ in range(2)
    }

    assert len(versions) == 1
    code, _, status = refused(secrets.put_secret_value, **given, SecretString="three")
    assert (code, status) == ("ResourceExistsException", 400)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "two"


@pytest.mark.aws(
    "Secrets Manager",
    "GetSecretValue, PutSecretValue",
    "A secret that is not there, has no value, or not this stage, is a ResourceNotFoundException with status 400.",  # noqa: E501
    "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html",
)
def test_a_missing_object_is_named(secrets: Any, name: str) -> None:
    for call, more in (
        (secrets.get_secret_value, {}),
        (secrets.put_secret_value, {"SecretString": "x"}),
    ):
        code, why, status = refused(call, SecretId=name, **more)
        assert (code, status) == ("ResourceNotFoundException", 400)
        assert why == "Secrets Manager can't find the specified secret."
    secrets.create_secret(Name=name)
    for stage in ("AWSCURRENT", "AWSPENDING"):
        code, why, status = refused(secrets.get_secret_value, SecretId=name, VersionStage=stage)
        assert (code, status) == ("ResourceNotFoundException", 400)
        assert why.endswith(f"for staging label: {stage}")


@pytest.mark.aws(
    "Secrets Manager",
    "DeleteSecret",
    "Until it is gone, reading it, writing it and making one of its name are InvalidRequestExceptions.",  # noqa: E501
    "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html",
)
def test_a_secret_marked_for_deletion_is_neither_read_nor_written(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="one")
    secrets.delete_secret(SecretId=name)

    for call, given in (
        (secrets.get_secret_value, {"SecretId": name}),
        (secrets.put_secret_value, {"SecretId": name, "SecretString": "two"}),
        (secrets.create_secret, {"Name": name, "SecretString": "two"}),
    ):
        code, why, status = refused(call, **given)
        assert (code, status) == ("InvalidRequestException", 400)
        assert "deletion" in why
    secrets.restore_secret(SecretId=name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "one"


@pytest.mark.aws(
    "Secrets Manager",
    "CreateSecret, PutSecretValue",
    "A value is at most 65,536 bytes.",
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html",
)
def test_a_value_that_is_too_large_is_refused(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="x" * 65_536)

    large = "x" * 65_537
    for call, given in (
        (secrets.put_secret_value, {"SecretId": name}),
        (secrets.create_secret, {"Name": f"{name}-2"}),
    ):
        code, why, _ = refused(call, **given, SecretString=large)
        assert code == "ValidationException"
        assert "65536" in why


@pytest.mark.aws(
    "Secrets Manager",
    "CreateSecret",
    "A name that is taken is a ResourceExistsException.",
    "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html",
)
def test_a_name_is_taken_once(secrets: Any, name: str) -> None:
    secrets.create_secret(Name=name, SecretString="one")

    code, _, status = refused(secrets.create_secret, Name=name, SecretString="two")

    assert (code, status) == ("ResourceExistsException", 400)
