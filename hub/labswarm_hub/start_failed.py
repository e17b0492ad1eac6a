"""The error of a start that failed for a known reason."""

from jupyterhub.spawner import SpawnException

from labswarm_hub.reasons import Reason


class StartFailed(SpawnException):  # type: ignore[misc]  # jupyterhub has no types
    """JupyterHub shows `jupyterhub_message` on the student's page, and logs the operator's
    sentence without a traceback."""

    def __init__(self, reason: Reason, status_code: int = 503) -> None:
        super().__init__(
            reason.student,
            reason=reason.label,
            log_message=reason.operator,
            status_code=status_code,
        )
        self.jupyterhub_message = reason.student
