"""The error of a start that failed for a known reason."""

import secrets

from jupyterhub.spawner import SpawnException

from labswarm_hub.reasons import Reason


class StartFailed(SpawnException):  # type: ignore[misc]  # jupyterhub has no types
    """JupyterHub shows `jupyterhub_message` on the student's page, and logs the operator's
    sentence without a traceback. The code in both finds one by the other."""

    def __init__(self, reason: Reason, status_code: int = 503) -> None:
        student, operator = reason.student, reason.operator
        if reason.is_for_admin:
            code = secrets.token_hex(3)
            student, operator = f"{student} Code: {code}.", f"{operator} Code: {code}."
        super().__init__(
            student, reason=reason.label, log_message=operator, status_code=status_code
        )
        self.is_of_machine = reason.is_of_machine
        self.jupyterhub_message = student
