"""The adapters of one function, each made of the clients and environment variables that it needs.

An adapter's module is imported when the adapter is asked for, so that a cold start loads only the
adapters of its own function.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from labswarm.aws import environment
from labswarm.aws.environment import AWS

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

    from labswarm.chef.signing import Signers
    from labswarm.cluster import Clusters
    from labswarm.commands.agent import Agent
    from labswarm.commands.hub_slots import HubSlots
    from labswarm.document.applied import Reports
    from labswarm.executions import Executions
    from labswarm.groups import Groups
    from labswarm.lab_hours.alarms import Alarms
    from labswarm.lab_hours.bookings import Bookings
    from labswarm.lab_hours.feed import Feeds
    from labswarm.lab_hours.launches import Launches
    from labswarm.lab_hours.purchases import Purchases
    from labswarm.lab_hours.state import LabHoursStates
    from labswarm.lifecycle.breaker import Breakers
    from labswarm.lifecycle.hooks import Hooks
    from labswarm.lifecycle.ledger import Ledger
    from labswarm.lifecycle.spot_requests import SpotRequests
    from labswarm.readiness.accounts import Accounts
    from labswarm.readiness.reports import ReadyReports
    from labswarm.readiness.surroundings import Surroundings
    from labswarm.reconcile.passes import Passes
    from labswarm.snapshot import Snapshots
    from labswarm.tasks import Tasks
    from labswarm.usage.usages import Usages


class Wiring:
    """Makes adapters; those that talk to the same AWS service share one client.

    Every method raises BadInput when an environment variable is missing.
    """

    def accounts(self) -> "Accounts":
        from labswarm.aws.accounts import AwsAccounts

        return AwsAccounts(
            self._autoscaling,
            self._ec2,
            self._ssm,
            boto3.client("service-quotas", config=AWS),
            boto3.client("cloudwatch", config=AWS),
            self._sns,
        )

    def agent(self) -> "Agent":
        from labswarm.aws.agent import SsmAgent

        return SsmAgent(self._ssm)

    def agent_of_events(self) -> "Agent":
        """The agent for SSM's own events, which may come before SSM knows their commands."""
        from labswarm.aws.agent import SsmAgent, until_known

        until_known(self._ssm)
        return SsmAgent(self._ssm)

    def alarms(self) -> "Alarms":
        from labswarm.aws.alarms import SnsAlarms

        return SnsAlarms(self._sns, environment.required("ALARMS_TOPIC"))

    def bookings(self) -> "Bookings":
        from labswarm.aws.dynamodb.bookings import DynamoBookings

        return DynamoBookings(self._dynamodb, environment.required("BOOKINGS_TABLE"))

    def breakers(self) -> "Breakers":
        from labswarm.aws.dynamodb.breaker import DynamoBreakers

        return DynamoBreakers(self._dynamodb, environment.required("LEDGER_TABLE"))

    def clusters(self) -> "Clusters":
        from labswarm.aws.cluster import SsmClusters

        return SsmClusters(self._ssm)

    def executions(self) -> "Executions":
        from labswarm.aws.executions import StepFunctionsExecutions

        return StepFunctionsExecutions(self._stepfunctions)

    def feeds(self) -> "Feeds":
        import urllib3

        from labswarm.aws.feed import SsmAndWebFeeds

        return SsmAndWebFeeds(self._ssm, urllib3.PoolManager())

    def groups(self) -> "Groups":
        from labswarm.aws.groups import AutoScalingGroups

        return AutoScalingGroups(self._autoscaling)

    def hooks(self) -> "Hooks":
        from labswarm.aws.hooks import AutoScalingHooks

        return AutoScalingHooks(self._autoscaling)

    def launches(self) -> "Launches":
        from labswarm.aws.dynamodb.launches import DynamoLaunches

        return DynamoLaunches(self._dynamodb, environment.required("LEDGER_TABLE"))

    def ledger(self) -> "Ledger":
        from labswarm.aws.dynamodb.ledger import DynamoLedger

        return DynamoLedger(self._dynamodb, environment.required("LEDGER_TABLE"))

    def lab_hours_states(self) -> "LabHoursStates":
        from labswarm.aws.dynamodb.state import DynamoLabHoursStates

        return DynamoLabHoursStates(self._dynamodb, environment.required("LAB_HOURS_TABLE"))

    def passes(self) -> "Passes":
        from labswarm.aws.dynamodb.passes import DynamoPasses

        return DynamoPasses(self._dynamodb, environment.required("PASSES_TABLE"))

    def purchases(self) -> "Purchases":
        from labswarm.aws.purchases import Ec2Purchases

        return Ec2Purchases(self._autoscaling, self._ec2)

    def reports(self) -> "Reports":
        from labswarm.aws.applied import SsmReports

        return SsmReports(self._ssm)

    def hub_slots(self) -> "HubSlots":
        from labswarm.aws.dynamodb.hub_slots import DynamoHubSlots

        return DynamoHubSlots(self._dynamodb, environment.required("LEDGER_TABLE"))

    def ready_reports(self) -> "ReadyReports":
        from labswarm.aws.dynamodb.reports import DynamoReports

        return DynamoReports(self._dynamodb, environment.required("LAB_HOURS_TABLE"))

    def snapshots(self) -> "Snapshots":
        from labswarm.aws.dynamodb.snapshot import DynamoSnapshots

        return DynamoSnapshots(self._dynamodb, environment.required("SNAPSHOTS_TABLE"))

    def tasks(self) -> "Tasks":
        from labswarm.aws.tasks import StepFunctionsTasks

        return StepFunctionsTasks(self._stepfunctions)

    def signers(self) -> "Signers":
        from labswarm.aws.signing import KmsSigners

        return KmsSigners(boto3.client("kms", config=AWS))

    def spot_requests(self) -> "SpotRequests":
        from labswarm.aws.spot_requests import Ec2SpotRequests

        return Ec2SpotRequests(self._ec2)

    def surroundings(self) -> "Surroundings":
        from labswarm.aws.surroundings import AwsSurroundings

        efs = boto3.client("efs", config=AWS)
        return AwsSurroundings(self._autoscaling, self._ec2, efs)

    def usages(self) -> "Usages":
        from labswarm.aws.dynamodb.usages import DynamoUsages

        return DynamoUsages(self._dynamodb, environment.required("LAB_HOURS_TABLE"))

    @cached_property
    def _autoscaling(self) -> "AutoScalingClient":
        return boto3.client("autoscaling", config=AWS)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return boto3.client("dynamodb", config=AWS)

    @cached_property
    def _ec2(self) -> "EC2Client":
        return boto3.client("ec2", config=AWS)

    @cached_property
    def _sns(self) -> "SNSClient":
        return boto3.client("sns", config=AWS)

    @cached_property
    def _ssm(self) -> "SSMClient":
        return boto3.client("ssm", config=AWS)

    @cached_property
    def _stepfunctions(self) -> "SFNClient":
        return boto3.client("stepfunctions", config=AWS)
