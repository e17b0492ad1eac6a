"""Debian's goiardi: a Chef Server API that others wrote, to hear whether ours says the same.

It is in memory, and frozen to disk every second.
"""

import shutil
from pathlib import Path

from labswarm_lab.chef.server import ChefProcess

GOIARDI = "/usr/bin/goiardi"


def is_installed() -> bool:
    """Whether this machine has goiardi (Debian's package `goiardi`)."""
    return shutil.which(GOIARDI) is not None


class Goiardi(ChefProcess):
    """One goiardi (https://goiardi.readthedocs.io), which has no organizations.

    Its data survives its end, except for the last second before a kill.
    """

    def __init__(self, address: str, port: int, state_dir: Path) -> None:
        super().__init__(address, port, state_dir)

    @property
    def organization(self) -> None:
        return None

    def _command(self) -> list[str]:
        return [
            GOIARDI,
            f"--ipaddress={self._address}",
            f"--hostname={self._address}",
            f"--port={self._port}",
            "--use-auth",
            "--use-ssl",
            f"--ssl-cert={self._tls.certificate}",
            f"--ssl-key={self._tls.key}",
            f"--conf-root={self._conf}",
            f"--data-file={self._data / 'objects'}",
            f"--index-file={self._data / 'index'}",
            "--freeze-interval=1",
            "--disable-webui",
            "--log-level=error",
        ]
