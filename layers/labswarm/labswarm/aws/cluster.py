"""The clusters' descriptions, over the Parameter Store of AWS Systems Manager."""

from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.cluster import Cluster
from labswarm.errors import BadInput, LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

PARAMETERS = "/labswarm/clusters"


class SsmClusters:
    """Implements labswarm.cluster.Clusters.

    The Terraform stack of each cluster writes its parameter."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def read_cluster(self, name: str) -> Cluster:
        parameter = f"{PARAMETERS}/{name}"
        try:
            with named():
                answer = self._client.get_parameter(Name=parameter)
        except LabswarmError as error:
            if code_of(error) == "ParameterNotFound":
                raise BadInput(
                    "cluster", f"{name!r} has no parameter {parameter}; apply its stack"
                ) from error
            raise
        return Cluster.parse(answer["Parameter"]["Value"])

    def names(self) -> list[str]:
        return sorted(self._texts())

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
        found, wrong = [Cluster.parse(texts.pop(name))], []
        for other, text in sorted(texts.items()):
            try:
                cluster = _named(other, Cluster.parse(text))
            except BadInput as error:
                # A description that cannot be read names no hub. By its name it is ours, or another
                # hub reports it.
                if other.startswith(f"{name}-"):
                    wrong.append(BadInput(f"{PARAMETERS}/{other}", str(error)))
                continue
            if cluster.manager == manager:
                found.append(cluster)
        return found, wrong

    def _texts(self) -> dict[str, str]:
        """Every description as it is written, by the cluster's name."""
        texts: dict[str, str] = {}
        with named():
            for page in self._client.get_paginator("get_parameters_by_path").paginate(
                Path=PARAMETERS
            ):
                for parameter in page["Parameters"]:
                    texts[parameter["Name"].removeprefix(f"{PARAMETERS}/")] = parameter["Value"]
        return texts


def _named(name: str, cluster: Cluster) -> Cluster:
    """The cluster, when it is called as its parameter is. Raises BadInput."""
    if cluster.name != name:
        raise BadInput("name", f"is {cluster.name!r}; write {name!r}, as in the parameter's name")
    return cluster
