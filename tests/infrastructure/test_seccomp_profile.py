"""The system calls that the Engine's seccomp profile allows, read as data.

The rules are evaluated as runc and libseccomp do: a call is allowed by any rule whose arguments all
match (https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp).
"""

import json
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

COOKBOOKS = Path(__file__).resolve().parents[2] / "cookbooks"
BASE = COOKBOOKS / "labswarm_base"
PROFILE: dict[str, Any] = json.loads((BASE / "files/default/seccomp.json").read_text())

AF_ALG, AF_VSOCK, AF_RXRPC, AF_PACKET = 38, 40, 33, 17
AF_NETLINK, NETLINK_ROUTE, NETLINK_XFRM = 16, 0, 6
CLONE_NEW = {
    "NEWNS": 0x00020000,
    "NEWCGROUP": 0x02000000,
    "NEWUTS": 0x04000000,
    "NEWIPC": 0x08000000,
    "NEWUSER": 0x10000000,
    "NEWPID": 0x20000000,
    "NEWNET": 0x40000000,
}
# As glibc makes a thread, and as it makes a process.
CLONE_THREAD, CLONE_PROCESS = 0x3D0F00, 0x01200011


def matches(condition: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    value = arguments[condition["index"]]
    match condition["op"]:
        case "SCMP_CMP_EQ":
            return bool(value == condition["value"])
        case "SCMP_CMP_MASKED_EQ":
            return bool(value & condition["value"] == condition["valueTwo"])
    raise AssertionError(f"{condition['op']} is not used in the profile")


def allowed(call: str, *arguments: int) -> bool:
    """Whether a container without capabilities may make this call."""
    return any(
        rule["action"] == "SCMP_ACT_ALLOW"
        and call in rule["names"]
        and not rule.get("includes", {}).get("caps")
        and all(matches(condition, arguments) for condition in rule.get("args", ()))
        for rule in PROFILE["syscalls"]
    )


def test_a_call_that_no_rule_names_is_refused() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert PROFILE["defaultErrnoRet"] == 1
    assert not allowed("a_call_of_the_next_kernel")


@pytest.mark.parametrize(
    "call",
    [
        *("io_uring_setup", "io_uring_enter", "io_uring_register"),
        *("keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd"),
        *("unshare", "setns", "clone3", "mount", "umount2", "pivot_root", "fsopen", "move_mount"),
        *("init_module", "finit_module", "kexec_load", "open_by_handle_at", "chroot", "reboot"),
        # A filter does not see which socket the one call of 32-bit programs opens.
        "socketcall",
    ],
)
def test_a_call_that_holes_were_reached_by_is_refused(call: str) -> None:
    assert not allowed(call)


@pytest.mark.parametrize("family", [AF_ALG, AF_VSOCK, AF_RXRPC, AF_PACKET])
def test_a_socket_of_a_family_that_no_class_needs_is_refused(family: int) -> None:
    assert not allowed("socket", family, socket.SOCK_SEQPACKET, 0)
    assert not allowed("socket", family, socket.SOCK_DGRAM, 0)


def test_every_family_but_four_is_refused() -> None:
    assert {family for family in range(64) if allowed("socket", family, 1, 0)} == {
        *(socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, AF_NETLINK),
    }


def test_netlink_is_open_for_routes_and_closed_for_ipsec() -> None:
    assert allowed("socket", AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    assert not allowed("socket", AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)


@pytest.mark.parametrize("flag", CLONE_NEW)
def test_a_process_in_a_new_namespace_is_refused(flag: str) -> None:
    assert not allowed("clone", CLONE_NEW[flag] | CLONE_PROCESS)


def test_threads_and_processes_are_made() -> None:
    assert allowed("clone", CLONE_THREAD)
    assert allowed("clone", CLONE_PROCESS)
    (clone3,) = (rule for rule in PROFILE["syscalls"] if "clone3" in rule["names"])
    # ENOSYS: the C library then uses clone, whose flags the filter sees.
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


@pytest.mark.parametrize(
    "call",
    [
        *(
            "execve",
            "openat",
            "read",
            "write",
            "mmap",
            "futex",
            "epoll_wait",
            "newfstatat",
            "statx",
        ),
        *("getrandom", "clock_gettime", "sendmsg", "recvmsg", "accept4", "socketpair", "prlimit64"),
        *("rseq", "set_robust_list", "arch_prctl", "memfd_create", "sched_setaffinity", "wait4"),
        # Debuggers of a programming class.
        *("ptrace", "process_vm_readv"),
    ],
)
def test_the_calls_of_a_notebook_are_allowed(call: str) -> None:
    assert allowed(call)


def test_one_rule_compares_an_argument_once() -> None:
    # runc takes two comparisons of one argument for alternatives, so "not 38 and not 40" would
    # allow both: https://github.com/moby/moby/pull/52494.
    for rule in PROFILE["syscalls"]:
        indexes = [condition["index"] for condition in rule.get("args", ())]
        assert len(indexes) == len(set(indexes)), rule["comment"]


def test_32_bit_programs_are_no_way_around_it() -> None:
    assert [one["subArchitectures"] for one in PROFILE["archMap"]] == [[], []]


def test_each_name_stands_once_unless_its_arguments_are_looked_at() -> None:
    names = [n for rule in PROFILE["syscalls"] if "args" not in rule for n in rule["names"]]
    assert len(names) == len(set(names)) > 300


def test_the_engine_reads_the_profile_where_the_resource_puts_it() -> None:
    engine = json.loads((BASE / "files/default/engine.json").read_text())
    resource = (BASE / "resources/engine.rb").read_text()
    assert engine["seccomp-profile"] == "/etc/docker/labswarm-seccomp.json"
    assert "cookbook_file new_resource.settings['seccomp-profile'] do" in resource
    assert "source 'seccomp.json'" in resource
    assert resource.index("cookbook_file") < resource.index("file '/etc/docker/daemon.json'")


def test_the_modules_that_the_holes_are_in_are_never_loaded() -> None:
    attributes = (BASE / "attributes/default.rb").read_text()
    (block,) = re.findall(r"\['unused_modules'\] = %w\((.*?)\)", attributes, re.DOTALL)
    assert {
        *("af_alg", "algif_aead", "algif_hash", "algif_rng", "algif_skcipher"),
        *("esp4", "esp6", "rxrpc"),
    } <= set(block.split())


def test_no_network_of_ours_needs_the_modules_of_ipsec() -> None:
    # `--opt encrypted` of an overlay network is ESP.
    for file in [*COOKBOOKS.rglob("*.rb"), *COOKBOOKS.parent.glob("lab/**/*.py")]:
        assert "encrypted'" not in file.read_text(), file


def test_the_engine_is_not_held_back_for_ever() -> None:
    kept = (BASE / "attributes/default.rb").read_text()
    hub = (COOKBOOKS / "labswarm_hub/attributes/default.rb").read_text()
    when = re.search(r"\['labswarm_base'\]\['engine_updates'\] = '(.+)'", hub)
    assert "default['labswarm_base']['engine_updates'] = nil" in kept
    assert when, "a hub stays: its Engine gets its updates at a time of its own"
    done = subprocess.run(
        ["systemd-analyze", "calendar", when[1]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    recipe = (BASE / "recipes/updates.rb").read_text()
    assert "install -y --only-upgrade #{node['labswarm_base']['kept_packages'].join(' ')}" in recipe
    # A worker's comes with its image, which is built each month.
    images = (COOKBOOKS.parent / ".github/workflows/images.yml").read_text()
    assert re.search(r"cron: '\d+ \d+ \d+ \* \*'", images)
