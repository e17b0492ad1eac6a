"""The checks of `labswarm doctor` and `labswarm ready` in an account."""

from labswarm.aws.accounts import AwsAccounts
from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.aws.dynamodb.state import TABLE, DynamoLabHoursStates
from labswarm.aws.surroundings import AwsSurroundings
from labswarm.chef.certificate import certificate
from labswarm.names import app_name
from labswarm.readiness.account import Facts
from labswarm.readiness.check import Checked, Checks, read_facts
from labswarm_operator.account import Clients, asked
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

SNAPSHOTS = app_name("snapshots")
"""The table's name in the template."""


def accounts_of(clients: Clients) -> AwsAccounts:
    """Return the adapter of the account that these clients reach."""
    services = ("autoscaling", "ec2", "ssm", "service-quotas", "cloudwatch", "sns")
    return AwsAccounts(*map(clients, services))


def read_account_facts(clients: Clients, name: str) -> Facts:
    """Return the facts for `labswarm doctor`.

    Raises Refusal if there is neither a description nor a group of this name, and AWS's errors by
    kind.
    """
    with asked():
        clusters = SsmClusters(clients("ssm"))
        facts = read_facts(clusters, accounts_of(clients), name)
        if facts.cluster is None and facts.group is None:
            _refuse_unknown(name, clusters.names())
        return facts


def check(clients: Clients, name: str, now: float) -> Checked:
    """Check a cluster at `now` (epoch seconds) for `labswarm ready`.

    Raises Refusal for an unknown cluster, and AWS's errors by kind.
    """
    with asked():
        clusters, dynamodb = SsmClusters(clients("ssm")), clients("dynamodb")
        _refuse_unknown(name, clusters.names())
        return Checks(
            clusters,
            accounts_of(clients),
            AwsSurroundings(*map(clients, ("autoscaling", "ec2", "efs"))),
            DynamoLabHoursStates(dynamodb, TABLE),
            DynamoSnapshots(dynamodb, SNAPSHOTS),
            certificate,
        ).check(name, now)


def _refuse_unknown(name: str, names: list[str]) -> None:
    if name not in names:
        raise Refusal(f"--cluster: {unknown('cluster', name, names)}")
