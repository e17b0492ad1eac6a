"""The name of a student's service, as Swarm can carry it, never the same for two servers."""

from labswarm.homes import escaped, fitting

# swarmkit refuses a longer service name, since it is also a DNS label (RFC 1035).
_SERVICE_NAME_LIMIT = 63


def service_name(user: str, server: str = "") -> str:
    """The name of the Swarm service of a student's server; `server` is empty for the default one.

    Joined by `--`, which is in no escaped name: by a single dash, server `2db` of `a` would be
    `a-b`'s own.
    """
    name = f"jupyter-{escaped(user)}"
    return fitting(f"{name}--{escaped(server)}" if server else name, _SERVICE_NAME_LIMIT)
