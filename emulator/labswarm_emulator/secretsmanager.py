"""Secrets Manager: refusals of AWS that moto lacks.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager import exceptions
from moto.secretsmanager.models import SecretsManagerBackend

MOST_BYTES = 65_536


def install() -> None:
    """Refuse large secrets and deleted ones, and answer 400 for a missing stage."""
    create, put = SecretsManagerBackend.create_secret, SecretsManagerBackend.put_secret_value
    get = SecretsManagerBackend.get_secret_value

    def made(backend: SecretsManagerBackend, name: str, *args: Any, **given: Any) -> str:
        _fits(given.get("secret_string"))
        if name in backend.secrets and backend.secrets[name].is_deleted():
            raise exceptions.InvalidRequestException(
                "You can't create this secret because a secret with this name is already "
                "scheduled for deletion."
            )
        answer: str = create(backend, name, *args, **given)
        return answer

    def kept(backend: SecretsManagerBackend, secret_id: str, *args: Any, **given: Any) -> str:
        _fits(given.get("secret_string"))
        _exists(backend, secret_id)
        answer: str = put(backend, secret_id, *args, **given)
        return answer

    def read(
        backend: SecretsManagerBackend, secret_id: str, version_id: str, version_stage: str
    ) -> dict[str, Any]:
        secret = _exists(backend, secret_id)
        stages = {stage for v in secret.versions.values() for stage in v["version_stages"]}
        if version_stage and not version_id and version_stage not in stages:
            raise exceptions.SecretHasNoValueException(version_stage)
        answer: dict[str, Any] = get(backend, secret_id, version_id, version_stage)
        return answer

    SecretsManagerBackend.create_secret = made
    SecretsManagerBackend.put_secret_value = kept
    SecretsManagerBackend.get_secret_value = read
    for error in (
        exceptions.ResourceNotFoundException,
        exceptions.SecretNotFoundException,
        exceptions.SecretHasNoValueException,
    ):
        _answer_400(error)


def _answer_400(error: Any) -> None:
    made = error.__init__

    def with_400(self: JsonRESTError, *args: Any) -> None:
        made(self, *args)
        self.code = 400

    error.__init__ = with_400


def _fits(text: str | None) -> None:
    if text is not None and len(text.encode()) > MOST_BYTES:
        raise JsonRESTError(
            "ValidationException",
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_BYTES}",
        )


def _exists(backend: SecretsManagerBackend, secret_id: str) -> Any:
    if not backend._is_valid_identifier(secret_id):
        raise exceptions.SecretNotFoundException
    secret = backend.secrets[secret_id]
    if secret.is_deleted():
        raise exceptions.InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret
