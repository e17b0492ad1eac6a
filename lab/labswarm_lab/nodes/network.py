"""The network of one lab: a bridge on this machine, and a cable from it to each node."""

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labswarm.errors import Permanent
from labswarm_lab.nodes.cookbooks import STUDENT_FIREWALL
from labswarm_lab.nodes.place import Place

_SUBNETS = range(256)
# A shell of root's may lack the second half.
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class CommandFailed(Permanent):
    """A system command said no; the message is the command and its output."""


def command(*words: str, given: str | None = None) -> str:
    """Run a system command and return its output. Raises CommandFailed."""
    environment = {**os.environ, "PATH": SYSTEM_PATH}
    done = subprocess.run(
        words, input=given, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise CommandFailed(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def raise_bridge(place: Place) -> int:
    """Make the lab's bridge, with an address, and let its own traffic pass; returns its subnet.

    That is the first k for which nothing on this machine uses 10.98.k.0/24. A Docker Engine on this
    machine sets the FORWARD policy to DROP, and bridged frames may go through it
    (net.bridge.bridge-nf-call-iptables). Raises CommandFailed when the bridge is there, Permanent
    when all subnets are in use.
    """
    with _one_lab_at_a_time():
        subnet = _free_subnet()
        _add_bridge(place, subnet)
    command("iptables", "-w", "-I", "FORWARD", *_rule(place.bridge))
    return subnet


@contextmanager
def _one_lab_at_a_time() -> Iterator[None]:
    """No other process chooses a subnet meanwhile."""
    everyones = os.open("/run", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(everyones, fcntl.LOCK_EX)
        yield
    finally:
        os.close(everyones)


def _free_subnet() -> int:
    routes = json.loads(command("ip", "-json", "route", "show", "table", "all"))
    used = {
        int(match[1])
        for route in routes
        if (match := re.match(r"10\.98\.(\d+)\.", str(route.get("dst", ""))))
    }
    for subnet in _SUBNETS:
        if subnet not in used:
            return subnet
    raise Permanent("every subnet of 10.98.0.0/16 is in use; bring a lab down")


def _add_bridge(place: Place, subnet: int) -> None:
    """Make the bridge, with a link address of its own.

    By default a bridge takes the lowest address of its cables, and another when that cable goes.
    Then for up to 48 s (measured) the other machines send to the old address, and do not reach this
    machine.
    """
    bridge = place.bridge
    command(
        "ip",
        "-batch",
        "-",
        given=f"link add name {bridge} address 02:00:0a:62:{subnet:02x}:01 type bridge\n"
        f'link set {bridge} alias "{_owner(place)}"\n'
        f"addr add 10.98.{subnet}.1/24 dev {bridge}\n"
        f"link set {bridge} up\n",
    )


def is_ours_to_change() -> bool:
    """Whether this process could have made a lab's network: as root, and with the commands."""
    commands = [shutil.which(name, path=SYSTEM_PATH) for name in ("ip", "iptables")]
    return os.geteuid() == 0 and all(commands)


def has_bridge(place: Place) -> bool:
    """Whether the lab's bridge is there, and is this lab's."""
    return any(_is_bridge_of(place, link) for link in _links())


def has_foreign_bridge(place: Place) -> bool:
    """Whether something else has the name of the lab's bridge."""
    return any(
        link["ifname"] == place.bridge and not _is_bridge_of(place, link) for link in _links()
    )


def lower_bridge(place: Place) -> None:
    """Remove the bridge, its rule and every cable on it, as far as they are there."""
    bridge = place.bridge
    while rules(place):
        command("iptables", "-w", "-D", "FORWARD", *_rule(bridge))
    for name in cables(place):
        _delete_link(name)
    if has_bridge(place):
        _delete_link(bridge)


def rules(place: Place) -> list[str]:
    """The lab's iptables rules, as iptables prints them."""
    listed = command("iptables", "-w", "-S", "FORWARD").splitlines()
    wanted = " ".join(["-A", "FORWARD", *_rule(place.bridge)])
    return [rule for rule in listed if rule == wanted]


def cables(place: Place) -> list[str]:
    """The links of this machine that are on the lab's bridge."""
    if not has_bridge(place):
        return []
    return [link["ifname"] for link in _links() if link.get("master") == place.bridge]


def plug(place: Place, subnet: int, number: int, pid: int) -> None:
    """Give the network namespace of process `pid` a cable to the bridge and its address.

    There is no default route: with one, a look-up of every image waits for an answer from nowhere.
    """
    cable = _cable(subnet, number)
    command(
        "ip",
        "-batch",
        "-",
        given=f"link add {cable} type veth peer name eth0 netns {pid}\n"
        f"link set {cable} master {place.bridge} up\n",
    )
    command(
        *("nsenter", "--target", str(pid), "--net", "ip", "-batch", "-"),
        given=f"addr add 10.98.{subnet}.{number}/24 dev eth0\nlink set eth0 up\nlink set lo up\n",
    )


def shield(pid: int, conf: Path) -> None:
    """Load a worker's firewall of students' containers, as `conf` says, in the network of `pid`.

    Without it a student could command any node, through the emulator.
    """
    command(
        *("nsenter", "--target", str(pid), "--net", "sh", str(STUDENT_FIREWALL), str(conf)),
    )


def unplug(subnet: int, number: int) -> None:
    """Remove a machine's cable, if it is there; by itself it goes a while after the machine."""
    _delete_link(_cable(subnet, number))


def set_cable(subnet: int, number: int, *, up: bool) -> None:
    """Take a machine's cable down or up again, on this side; as it is already is no error."""
    command("ip", "link", "set", _cable(subnet, number), "up" if up else "down")


def _cable(subnet: int, number: int) -> str:
    return f"ls{subnet}n{number}"


def _links() -> list[dict[str, str]]:
    links: list[dict[str, str]] = json.loads(command("ip", "-json", "link", "show"))
    return links


def _owner(place: Place) -> str:
    return f"labswarm:{place.state_dir}"


def _is_bridge_of(place: Place, link: dict[str, str]) -> bool:
    return link["ifname"] == place.bridge and link.get("ifalias") == _owner(place)


def _rule(bridge: str) -> list[str]:
    return ["-i", bridge, "-o", bridge, "-j", "ACCEPT"]


def _delete_link(name: str) -> None:
    try:
        command("ip", "link", "delete", name)
    except CommandFailed as error:
        if "Cannot find device" not in str(error):
            raise
