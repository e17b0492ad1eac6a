"""Accounts of the hub itself, by nativeauthenticator.

Its last version (1.3) reports each login to `statsd`, which JupyterHub 6 no longer has: every login
would end with an error. Drop this file with nativeauthenticator's next version.
https://github.com/jupyterhub/jupyterhub/blob/main/docs/source/reference/changelog.md
"""

from typing import Any

from nativeauthenticator import NativeAuthenticator as Upstream
from nativeauthenticator import handlers


class _NoStatistics:
    """Takes every report, and drops it."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self


class NativeAuthenticator(Upstream):  # type: ignore[misc]  # has no types
    """As nativeauthenticator's own, on JupyterHub 6."""

    def get_handlers(self, app: Any) -> Any:
        handlers.LoginHandler.statsd = _NoStatistics()
        return super().get_handlers(app)
