"""`labswarm-labs`: the page for instructors, on the hub's host."""

import argparse
import asyncio
import hashlib
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from jupyterhub.services.auth import HubOAuth
from tornado.httpserver import HTTPServer

from labswarm.aws.dynamodb.bookings import TABLE, DynamoBookings
from labswarm.errors import BadInput
from labswarm_labs import admin_pages, link_pages, live_pages
from labswarm_labs.classes import Classes
from labswarm_labs.hub import Hub
from labswarm_labs.pages import Parts, application
from labswarm_labs.rendering import STATIC, templates
from labswarm_labs.service import Labs
from labswarm_labs.start_waves import WarmUp
from labswarm_labs.watching import Watching
from labswarm_node.aws import clients
from labswarm_node.config import NodeConfig

NAME = "labs"
PREFIX = f"/services/{NAME}/"
PORT = 8002
USER_FOR_S = 30
"""How long the hub's answer about a person counts: a right that is taken away ends then."""
_MOST_BYTES = 2**16


def parts(
    config: NodeConfig,
    token: str,
    idle_s: float,
    profiles: Sequence[str],
    hub_token_file: Path | None = None,
) -> Parts:
    """Return the parts of the service. Raises BadInput on a node that is no hub."""
    if config.hub is None:
        raise BadInput("role", "is worker; run labswarm-labs on the hub")

    client = cache(clients(config))
    api_url = config.hub.api_url
    auth = HubOAuth(
        api_url=api_url,
        api_token=token,
        base_url=PREFIX,
        hub_prefix="/hub/",
        oauth_client_id=f"service-{NAME}",
        access_scopes={f"access:services!service={NAME}"},
        cache_max_age=USER_FOR_S,
    )
    labs = Labs(config.cluster, DynamoBookings(client("dynamodb"), TABLE), client, idle_s)
    hub = Hub(api_url, token)
    sending = replace(config.hub, token_file=hub_token_file) if hub_token_file else None
    classes = Classes(labs, hub, client, sending)

    async def look(group: str) -> str:
        return (await classes.look(group)).to_json()

    return Parts(
        labs=labs,
        hub=hub,
        classes=classes,
        watching=Watching(look),
        auth=auth,
        templates=templates(),
        profiles=profiles,
    )


async def serve(given: Parts, address: str, port: int) -> None:
    """Serve until the process ends."""
    token = given.auth.api_token
    secret = hashlib.sha256(f"{NAME} cookies {token}".encode()).digest()
    base = given.auth.base_url
    pages_of = (live_pages, admin_pages, link_pages)
    more = [one for module in pages_of for one in module.handlers(base, given)]
    pages = application(given, secret, STATIC, more)
    server = HTTPServer(pages, xheaders=True, max_body_size=_MOST_BYTES)
    server.listen(port, address)
    logging.getLogger("labswarm-labs").info("listening on %s:%d", address, port)
    await WarmUp(given.labs, given.classes, given.hub).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point. Exits with 2 for a configuration that is wrong."""
    parser = argparse.ArgumentParser(prog="labswarm-labs", description=__doc__)
    parser.add_argument("--token-file", type=Path, required=True, help="the service's token")
    parser.add_argument(
        "--hub-token-file", type=Path, help="labswarm-manager's token, to write to classes"
    )
    parser.add_argument("--port", type=int, default=PORT, help="the port to listen on")
    parser.add_argument("--idle", type=float, default=3600, help="the hub's idle timeout (seconds)")
    parser.add_argument("--profile", action="append", default=[], help="a profile; repeatable")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    try:
        config = NodeConfig.read()
        token = options.token_file.read_text().strip()
        given = parts(config, token, options.idle, options.profile, options.hub_token_file)
    except OSError as error:
        print(f"labswarm-labs: --token-file: cannot be read ({error.strerror})", file=sys.stderr)
        return 2
    except BadInput as error:
        print(f"labswarm-labs: {error}", file=sys.stderr)
        return 2
    asyncio.run(serve(given, config.advertise_address, options.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
