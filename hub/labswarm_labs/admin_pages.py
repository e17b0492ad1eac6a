"""The page for admins: alarms, decisions and machines of the cluster."""

from tornado.web import HTTPError, authenticated

from labswarm_labs.operations import steps
from labswarm_labs.pages import Page, Parts, in_thread


class Cluster(Page):
    """The cluster, as AWS knows it now."""

    @authenticated
    async def get(self) -> None:
        if not self.person.is_admin:
            raise HTTPError(403, "This page is for admins.")
        labs = self.parts.labs
        operations = await in_thread(labs.operations)
        self.page(
            "cluster.html", cluster=labs.cluster, now=labs.now(), seen=operations, steps=steps
        )


def handlers(base: str, parts: Parts) -> list[tuple[str, type[Page], dict[str, Parts]]]:
    """Return the addresses of these pages."""
    return [(f"{base}cluster", Cluster, {"parts": parts})]
