"""The proxy, a service of its own that outlives the hub; the hub gives it its routes."""

from typing import Any

from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.ioloop import PeriodicCallback
from traitlets import default


class SeparateProxy(ConfigurableHTTPProxy):  # type: ignore[misc]  # JupyterHub has no types
    """Looks for a new proxy every `check_running_interval` seconds and gives it all routes.

    JupyterHub itself would add them with its next look at the activity, minutes later.
    """

    @default("check_running_interval")  # type: ignore[untyped-decorator]  # traitlets has no types
    def _look_often(self) -> int:
        return 2

    async def start(self) -> None:
        """Begin to look; the proxy itself was started by Swarm."""
        callback = PeriodicCallback(self.check_running, 1000 * self.check_running_interval)
        self._check_running_callback = callback
        callback.start()

    def stop(self) -> None:
        """Stop looking; the proxy goes on, and with it the students' connections."""
        self._check_running_callback.stop()

    async def check_running(self) -> None:
        """Give a proxy that has no routes all of them."""
        routes = await self.get_all_routes()
        if self.app.hub.routespec not in routes:
            await self.restore_routes()

    async def check_routes(
        self, user_dict: Any, service_dict: Any, routes: dict[str, Any] | None = None
    ) -> None:
        """Add missing routes and remove stale ones, as JupyterHub does; a new proxy gets all."""
        routes = routes or await self.get_all_routes()
        if self.app.hub.routespec not in routes:
            await self.restore_routes()
        else:
            await super().check_routes(user_dict, service_dict, routes)

    async def restore_routes(self) -> None:
        """Add all routes, the hub's last.

        With the hub's route and without a server's, that server's requests would come to the hub,
        which answers that the server does not run. Without both, the proxy answers that it is not
        available yet, and pages wait.
        """
        self.log.warning("The proxy is new: adding all routes")
        await self.add_all_users(self.app.users)
        await self.add_all_services(self.app._service_map)
        await self.add_hub_route(self.app.hub)
