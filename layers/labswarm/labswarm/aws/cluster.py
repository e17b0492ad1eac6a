"""The clusters' descriptions, over the Parameter Store of AWS Systems Manager."""

from typing import TYPE_CHECKING

from labswarm.aws.applied import REPORT, parameter_of
from labswarm.aws.errors import named
from labswarm.cluster import Cluster
from labswarm.document.applied import Applied
from labswarm.errors import BadInput
from labswarm.names import prefix

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PARAMETERS = f"/{prefix()}/clusters"


class SsmClusters:
    """Implements labswarm.cluster.Clusters.

    The Terraform stack of each cluster writes its parameter. Its hub's report is a parameter below
    it (labswarm.aws.applied), with the values that the hub's document changes.
    """

    def __init__(self, client: "SSMClient", *, with_document: bool = True) -> None:
        """Without `with_document` the clusters are as Terraform describes them."""
        self._client = client
        self._with_document = with_document

    def read_cluster(self, name: str) -> Cluster:
        parameter, report = f"{PARAMETERS}/{name}", parameter_of(name)
        with named():
            # Both at once: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
            answer = self._client.get_parameters(Names=[parameter, report])
        found = {one["Name"]: one["Value"] for one in answer["Parameters"]}
        if parameter not in found:
            raise BadInput("cluster", f"{name!r} has no parameter {parameter}; apply its stack")
        return self._cluster(found[parameter], found.get(report))

    def names(self) -> list[str]:
        return sorted(name for name in self._texts() if "/" not in name)

    def of_hub(self, name: str, manager: str) -> tuple[list[Cluster], list[BadInput]]:
        """The hub's own cluster first, then those of its further groups: `manager` is theirs too.

        An error in a group's description is returned and stops no other group. Raises BadInput
        when the hub's own is not described, or not well.
        """
        texts = self._texts()
        if name not in texts:
            raise BadInput(
                "cluster", f"{name!r} has no parameter {PARAMETERS}/{name}; apply its stack"
            )
        found, wrong = [self._cluster(texts.pop(name), texts.get(f"{name}/{REPORT}"))], []
        for other, text in sorted(texts.items()):
            if "/" in other:
                continue
            try:
                cluster = _named(other, self._cluster(text, texts.get(f"{other}/{REPORT}")))
            except BadInput as error:
                # A description that cannot be read names no hub. By its name it is ours, or another
                # hub reports it.
                if other.startswith(f"{name}-"):
                    wrong.append(BadInput(f"{PARAMETERS}/{other}", str(error)))
                continue
            if cluster.manager == manager:
                found.append(cluster)
        return found, wrong

    def _cluster(self, text: str, report: str | None) -> Cluster:
        """The cluster of a description, with the values that its hub's report changes."""
        cluster = Cluster.parse(text)
        if report is None or not self._with_document:
            return cluster
        return cluster.changed(Applied.parse(report).changes)

    def _texts(self) -> dict[str, str]:
        """Every description as it is written, by name, and each report by `name/applied`."""
        texts: dict[str, str] = {}
        with named():
            for page in self._client.get_paginator("get_parameters_by_path").paginate(
                Path=PARAMETERS, Recursive=True
            ):
                for parameter in page["Parameters"]:
                    texts[parameter["Name"].removeprefix(f"{PARAMETERS}/")] = parameter["Value"]
        return texts


def _named(name: str, cluster: Cluster) -> Cluster:
    """The cluster, when it is called as its parameter is. Raises BadInput."""
    if cluster.name != name:
        raise BadInput("name", f"is {cluster.name!r}; write {name!r}, as in the parameter's name")
    return cluster
