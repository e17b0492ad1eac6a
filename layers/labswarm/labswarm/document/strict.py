"""The base of the document's models: no conversion, no unknown key, names in camel case."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Strict(BaseModel):
    """A part of the document. In the text its fields are in camel case, as Helm charts write."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=False
    )


class Verbatim(BaseModel):
    """A part whose fields are JupyterHub's own options, and so are written as JupyterHub does."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
