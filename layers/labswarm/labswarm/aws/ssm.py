"""The instances' agents and the clusters' descriptions, over AWS Systems Manager."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labswarm.aws.errors import code_of, named
from labswarm.cluster import Cluster
from labswarm.commands.steps import Invocation
from labswarm.errors import BadInput, LabswarmError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# The shortest that SendCommand takes; the execution's timeout is in each document.
DELIVERY_TIMEOUT_S = 30
PARAMETERS = "/labswarm/clusters"
# A page's most: SSM API reference, DescribeInstanceInformation, MaxResults.
MOST_AGENTS = 50


class SsmAgent:
    """Implements labswarm.commands.steps.Agent."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def online(self, instance_id: str) -> bool:
        with named():
            answer = self._client.describe_instance_information(
                Filters=[{"Key": "InstanceIds", "Values": [instance_id]}]
            )
        return any(
            node.get("InstanceId") == instance_id and node.get("PingStatus") == "Online"
            for node in answer["InstanceInformationList"]
        )

    def all_online(self) -> frozenset[str]:
        """The instances whose agents are online, all of the account's."""
        online: set[str] = set()
        with named():
            for page in self._client.get_paginator("describe_instance_information").paginate(
                Filters=[{"Key": "PingStatus", "Values": ["Online"]}],
                PaginationConfig={"PageSize": MOST_AGENTS},
            ):
                online.update(agent["InstanceId"] for agent in page["InstanceInformationList"])
        return frozenset(online)

    def send(
        self, instance_id: str, document: str, parameters: Mapping[str, str], label: str
    ) -> str:
        with named():
            answer = self._client.send_command(
                InstanceIds=[instance_id],
                DocumentName=document,
                Parameters={name: [value] for name, value in parameters.items()},
                Comment=label,
                TimeoutSeconds=DELIVERY_TIMEOUT_S,
            )
        return answer["Command"]["CommandId"]

    def find(self, instance_id: str, label: str) -> str | None:
        with named():
            for page in self._client.get_paginator("list_commands").paginate(
                InstanceId=instance_id
            ):
                for command in page["Commands"]:
                    if command.get("Comment") == label:
                        return command["CommandId"]
        return None

    def invocation(self, command_id: str, instance_id: str) -> Invocation | None:
        try:
            with named():
                answer = self._client.get_command_invocation(
                    CommandId=command_id, InstanceId=instance_id
                )
        except LabswarmError as error:
            # Normal right after SendCommand: the invocation is not there yet.
            if code_of(error) == "InvocationDoesNotExist":
                return None
            raise
        return Invocation(
            status=answer["Status"],
            details=answer.get("StatusDetails", answer["Status"]),
            exit_code=answer.get("ResponseCode", -1),
            stdout=answer.get("StandardOutputContent", ""),
            stderr=answer.get("StandardErrorContent", ""),
        )


class SsmClusters:
    """The clusters, each described in a parameter that its Terraform stack writes."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client

    def read(self, name: str) -> Cluster:
        """The cluster of this name. Raises BadInput when it is not described, or not well."""
        parameter = f"{PARAMETERS}/{name}"
        try:
            with named():
                answer = self._client.get_parameter(Name=parameter)
        except LabswarmError as error:
            if code_of(error) == "ParameterNotFound":
                raise BadInput("cluster", f"{name!r} has no parameter {parameter}") from error
            raise
        return Cluster.parse(answer["Parameter"]["Value"])

    def names(self) -> list[str]:
        """The names of all clusters, sorted."""
        return sorted(self._texts())

    def of_hub(self, name: str, manager: str) -> tuple[list[Cluster], list[BadInput]]:
        """The hub's own cluster first, then those of its further groups: `manager` is theirs too.

        What is wrong with a group's description is answered and stops no other. Raises BadInput
        when the hub's own is not described, or not well.
        """
        texts = self._texts()
        if name not in texts:
            raise BadInput("cluster", f"{name!r} has no parameter {PARAMETERS}/{name}")
        found, wrong = [Cluster.parse(texts.pop(name))], []
        for other, text in sorted(texts.items()):
            try:
                cluster = _named(other, Cluster.parse(text))
            except BadInput as error:
                # Whose it is cannot be read in it; another hub's is that one's to tell of.
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
        raise BadInput("name", f"is {cluster.name!r}; its parameter's is {name!r}")
    return cluster
