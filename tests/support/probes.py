"""Programs that run in containers and nodes of a lab, for Python there."""

# Given [protocol, host, port] by name, it prints by name the result of each.
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def probe(how):
    protocol, host, port = how
    try:
        if protocol == "tcp":
            socket.create_connection((host, port), 3).close()
        else:
            # The kernel reports a refusal, but only so many per second.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.connect((host, port))
                udp.settimeout(0.3)
                for _ in range(6):
                    try:
                        udp.send(b"?")
                        udp.recv(1)
                    except TimeoutError:
                        continue
    except OSError as error:
        return type(error).__name__
    return "reached"

asked = json.loads(sys.argv[1])
answers = {}
# One protocol after the other: all refusals count against the kernel's limit.
for protocol in ("tcp", "udp"):
    some = {name: how for name, how in asked.items() if how[0] == protocol}
    if some:
        with ThreadPoolExecutor(len(some)) as pool:
            answers.update(zip(some, pool.map(probe, some.values())))
print(json.dumps(answers))
"""
# Every file of this name that the container's user comes to.
LOOK = """
import os, sys
for top, folders, files in os.walk("/"):
    if top == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "usr")]
    found = [os.path.join(top, name) for name in files if name == sys.argv[1]]
    if found:
        print(*found, sep="\\n")
"""
# Takes connections at an address and ports, and says so.
LISTEN = """
import socket, sys, time
kept = [socket.create_server((sys.argv[1], int(port))) for port in sys.argv[2:]]
print("listening", flush=True)
time.sleep(3600)
"""
# Makes calls that reached holes of the kernel, with arguments that no kernel takes, and prints by
# name which error came of each. `socket` calls are made as a program makes them.
CALLS = """
import ctypes, errno, json, os, platform, socket

libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"
NUMBERS = {  # https://docs.kernel.org/process/adding-syscalls.html: a table for each architecture
    "unshare": (272, 97), "setns": (308, 268), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
}
SOCKETS = {
    "a socket of AF_ALG": (38, socket.SOCK_SEQPACKET, 0),
    "a socket of AF_VSOCK": (40, socket.SOCK_STREAM, 0),
    "a socket of AF_RXRPC": (33, socket.SOCK_DGRAM, 2),
    "a socket of NETLINK_XFRM": (16, socket.SOCK_RAW, 6),
}
ARGUMENTS = {"unshare": (0,), "keyctl": (-1,), "userfaultfd": (-1,), "setns": (-1, 0)}

def error_of(call):
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def syscall(name):
    ctypes.set_errno(0)
    arguments = (*ARGUMENTS.get(name, ()), 0, 0, 0, 0, 0)[:5]
    if libc.syscall(NUMBERS[name][not x86], *map(ctypes.c_long, arguments)) == -1:
        raise OSError(ctypes.get_errno(), name)

answers = {name: error_of(lambda: syscall(name)) for name in NUMBERS}
answers |= {n: error_of(lambda: socket.socket(*how).close()) for n, how in SOCKETS.items()}
answers["a socket of NETLINK_ROUTE"] = error_of(lambda: socket.socket(16, socket.SOCK_RAW, 0))
print(json.dumps(answers))
"""
