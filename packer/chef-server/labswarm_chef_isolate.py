#!/opt/labswarm-aws/bin/python
"""Keep a node of one cluster from reading what another cluster's nodes store on the Chef Server.

By default every client of an organization may read all nodes, clients and data bags. Here a node
reads its own node and client only, which the server gives to their maker. The cookbooks,
policies and roles, which all nodes run from, stay open to them.

Objects get the rights of their container when they are made, so both are changed:
https://docs.chef.io/server/server_orgs/#permissions. Search is closed by the server's setting
strict_search_result_acls. A second run changes nothing.
"""

import sys
from collections.abc import Iterator

from labswarm_chef_contents import Server
from labswarm_chef_place import here

CLOSED = ("nodes", "clients", "data")
GROUP = "clients"
"""The group of all clients of the organization."""


def main() -> None:
    """Close what is open, and say how much that was."""
    try:
        closed = isolate(here().server)
    except OSError as error:
        sys.exit(f"labswarm-chef-isolate: the server does not change who may read: {error}")
    if closed:
        print(f"labswarm-chef-isolate: closed {len(closed)} to other nodes: {', '.join(closed)}")


def isolate(server: Server) -> list[str]:
    """Take the right to read from the group of all clients; return the paths that it had it on."""
    return [path for path in paths(server) if close(server, path)]


def paths(server: Server) -> Iterator[str]:
    """Return the containers, and the objects that were made before these were closed."""
    for kind in CLOSED:
        yield f"/containers/{kind}"
        for name in server.get(f"/{kind}"):
            yield f"/{kind}/{name}"


def close(server: Server, path: str) -> bool:
    """Take the right to read `path` from the group; whether it had it."""
    read = server.get(f"{path}/_acl")["read"]
    if GROUP not in read["groups"]:
        return False
    groups = [name for name in read["groups"] if name != GROUP]
    server.put(f"{path}/_acl/read", {"read": {"actors": read["actors"], "groups": groups}})
    return True


if __name__ == "__main__":
    main()
