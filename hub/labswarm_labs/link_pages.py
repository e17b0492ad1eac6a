"""The form that makes a link to an instructor's files. It keeps nothing."""

from tornado.web import authenticated

from labswarm.errors import BadInput
from labswarm_labs.git_links import git_link
from labswarm_labs.pages import Page, Parts

_FIELDS = ("repository", "branch", "file")


class Link(Page):
    """The form, and the link once it is filled in."""

    @authenticated
    async def get(self) -> None:
        form = {name: self.get_argument(name, "") for name in _FIELDS}
        link, sentence, field = "", "", ""
        if form["repository"]:
            hub = f"{self.request.protocol}://{self.request.host}{self.hub_auth.hub_prefix}"
            try:
                link = git_link(hub, *form.values())
            except BadInput as bad:
                sentence, field = str(bad), bad.field
                self.set_status(400)
        form["branch"] = form["branch"] or "main"
        self.page("link.html", form=form, link=link, sentence=sentence, field=field)


def handlers(base: str, parts: Parts) -> list[tuple[str, type[Page], dict[str, Parts]]]:
    """Return the addresses of these pages."""
    return [(f"{base}link", Link, {"parts": parts})]
