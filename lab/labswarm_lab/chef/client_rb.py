"""The few settings of a client.rb that the stand-in for chef-client reads.

client.rb is Ruby (https://docs.chef.io/config_rb_client/); only lines of a setting and one quoted
string or symbol are read, and anything else is refused rather than passed over.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from labswarm.errors import BadInput

_LINE = re.compile(r"""([\w.]+)\s+(?:"([^"\\#]*)"|'([^'\\]*)'|(:\w+))\s*(?:\#.*)?""")
_READ = frozenset({"chef_server_url", "node_name", "client_key", "ssl_ca_file", "log_location"})
_PASSED_OVER = frozenset(
    {"chef_license", "data_collector.mode", "file_cache_path", "log_level", "trusted_certs_dir"}
)


@dataclass(frozen=True)
class ClientConfig:
    """Where the Chef Server is, who this node is there, and the file that it logs to."""

    chef_server_url: str
    node_name: str
    client_key: Path
    ssl_ca_file: Path | None = None
    log_location: Path | None = None


def parse_client_rb(text: str, where: str) -> dict[str, str]:
    """The settings in the text of a client.rb; `where` names it in messages.

    Raises BadInput naming the line that cannot be read.
    """
    settings: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise BadInput(f"{where}:{number}", 'write a setting as: name "value"')
        name, double, single, symbol = match.groups()
        value = next(text for text in (double, single, symbol) if text is not None)
        if name == "ssl_verify_mode":
            if value != ":verify_peer":
                raise BadInput(f"{where}:{number}", "ssl_verify_mode can only be :verify_peer")
        elif name in _READ:
            settings[name] = value
        elif name not in _PASSED_OVER:
            raise BadInput(f"{where}:{number}", f"the stand-in does not know {name}: remove it")
    return settings
