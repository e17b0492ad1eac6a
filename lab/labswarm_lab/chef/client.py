"""`labswarm-chef-client`: stands in for chef-client where a lab's nodes have none.

It does the same as a first chef-client run at the Chef Server, as the node's own client: make the
node, and save its run list and the machine's attributes. It runs no recipe, and says so in the
node.
"""

import argparse
import platform
import re
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

from labswarm.chef.server import Connection
from labswarm.errors import BadInput, LabswarmError
from labswarm_lab.chef.client_rb import ClientConfig, parse_client_rb
from labswarm_lab.chef.keys import KeySigner

MARK = "labswarm_client"
STAND_IN = "stand-in"
_ITEM = re.compile(r"(?:(?:role|recipe)\[[\w:.@-]+\]|[\w:.@-]+)")


def parse_run_list(text: str) -> list[str]:
    """The items of a comma-separated run list; a bare name is a recipe's, as for chef-client."""
    items = [item.strip() for item in text.split(",") if item.strip()]
    for item in items:
        if not _ITEM.fullmatch(item):
            raise BadInput("--runlist", f"{item!r} is no run list item; write role[NAME]")
    return [item if "[" in item else f"recipe[{item}]" for item in items]


def facts(server_url: str) -> dict[str, Any]:
    """This machine as Ohai would describe it: the automatic attributes."""
    name = socket.gethostname()
    return {
        "hostname": name.partition(".")[0],
        "fqdn": name,  # not asked of the DNS, which a lab's nodes may wait for in vain
        "ipaddress": _address_towards(server_url),
        "platform": _platform(),
        "ohai_time": time.time(),
        # Automatic, for a real chef-client replaces those: the mark goes when one takes over.
        MARK: STAND_IN,
    }


def converge(connection: Connection, name: str, run_list: list[str] | None, url: str) -> None:
    """Make the node `name` if it is not there, and save its run list and automatic attributes.

    None keeps the run list that the node has. Raises as `Connection.request` does.
    """
    answer = connection.request("GET", f"/nodes/{name}", also=frozenset({404}))
    node = answer.body
    if answer.status == 404:
        node = {
            "name": name,
            "chef_type": "node",
            "json_class": "Chef::Node",
            "chef_environment": "_default",
            "run_list": [],
            "normal": {},
            "default": {},
            "override": {},
            "automatic": {},
        }
        connection.request("POST", "/nodes", node)
    kept = node.get("run_list", []) if run_list is None else run_list
    connection.request("PUT", f"/nodes/{name}", {**node, "run_list": kept, "automatic": facts(url)})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run once, with all output on standard output, as chef-client does."""
    return run(parse_arguments(arguments), sys.stdout)


def run(options: argparse.Namespace, output: TextIO) -> int:
    """Run once and write to `output` and, from WARN on, to the configuration's log_location.

    Returns the exit code. 0: converged; 1: the Chef Server refused or did not answer; 2: bad input.
    """
    try:
        config = _config(options)
        run_list = None if options.runlist is None else parse_run_list(options.runlist)
        connection = Connection(
            config.chef_server_url,
            None,  # the URL of a client.rb has its organization in it
            config.node_name,
            KeySigner.read(config.client_key),
            None if config.ssl_ca_file is None else _text(config.ssl_ca_file),
        )
    except BadInput as error:
        _fatal(error, output, None)
        return 2
    print("Starting Chef Infra Client (labswarm's stand-in)", file=output)
    print(f"Node name: {config.node_name}", file=output)
    try:
        converge(connection, config.node_name, run_list, config.chef_server_url)
    except LabswarmError as error:
        title = f'The stand-in could not load or save the node "{config.node_name}"'
        print(framed(title, type(error).__name__, str(error)), file=output)
        _fatal(error, output, config.log_location)
        return 1
    print(f"Run List is {run_list if run_list is not None else 'unchanged'}", file=output)
    print(
        "Infra Phase complete, 0/0 resources updated: the node is saved, no recipe was run",
        file=output,
    )
    return 0


def framed(title: str, heading: str, text: str) -> str:
    """Return a failure in the frame that chef-client writes around one.

    https://github.com/chef/chef/blob/main/lib/chef/formatters/error_descriptor.rb
    """
    line = "=" * 80
    return "\n".join(["", line, title, line, "", heading, "-" * len(heading), text, ""])


def _fatal(error: LabswarmError, output: TextIO, log: Path | None) -> None:
    """Write a FATAL line as Chef's logger does, to the output and to the log if there is one."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    line = f"[{now}] FATAL: {type(error).__name__}: {error}"
    print(line, file=output)
    if log is not None:
        with log.open("a") as file:
            print(line, file=file)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options that labswarm-node gives to chef-client, and a few more of chef-client's."""
    parser = argparse.ArgumentParser(prog="labswarm-chef-client", description=__doc__)
    parser.add_argument("--once", action="store_true", help="run once (it always does)")
    parser.add_argument("-c", "--config", type=Path, default=Path("/etc/chef/client.rb"))
    parser.add_argument("-r", "--runlist", help="the run list from now on: role[worker],...")
    parser.add_argument("-N", "--node-name", help="instead of the configuration's node_name")
    parser.add_argument("-S", "--server", help="instead of the configuration's chef_server_url")
    parser.add_argument("-k", "--client_key", help="instead of the configuration's client_key")
    return parser.parse_args(arguments)


def _config(options: argparse.Namespace) -> ClientConfig:
    settings = parse_client_rb(_text(options.config), str(options.config))
    for name, given in (
        ("chef_server_url", options.server),
        ("node_name", options.node_name),
        ("client_key", options.client_key),
    ):
        if given is not None:
            settings[name] = given
        if name not in settings:
            raise BadInput(str(options.config), f"it has no {name}: add one")
    ca_file, log = settings.get("ssl_ca_file"), settings.get("log_location")
    return ClientConfig(
        settings["chef_server_url"],
        settings["node_name"],
        Path(settings["client_key"]),
        None if ca_file is None else Path(ca_file),
        None if log is None else Path(log),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise BadInput(str(path), f"it cannot be read ({error.strerror})") from error


def _address_towards(server_url: str) -> str:
    """This machine's address on the way to the server; connecting a UDP socket sends nothing."""
    server = urlsplit(server_url)
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect((server.hostname, server.port or 443))
        return str(probe.getsockname()[0])


def _platform() -> str:
    try:
        return platform.freedesktop_os_release()["ID"]
    except (OSError, KeyError):  # no such file: not a Linux distribution
        return platform.system().lower()


if __name__ == "__main__":
    sys.exit(main())
