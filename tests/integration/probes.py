"""Programs that run in containers and nodes of a lab, for Python there."""

# Given [protocol, host, port] by name, it prints by name what came of each.
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def probe(how):
    protocol, host, port = how
    try:
        if protocol == "tcp":
            socket.create_connection((host, port), 3).close()
        else:
            # Who is refused is told so, now and then: the kernel tells it so often a second only.
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
# One protocol after the other: all refusals count in what the kernel tells.
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
