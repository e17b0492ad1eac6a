"""Stacks: a small serverless app by `sam deploy`, twice, and the refusals of a deployment."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.lambda_functions import invoke
from tests.support.state_machines import finished

pytestmark = pytest.mark.emulator

APP = Path(__file__).parent / "app"
STACK = "contract"


class App:
    """A copy of the app in `app/`, which can be changed and deployed again."""

    def __init__(self, emulator: Any, folder: Path) -> None:
        self.folder = folder
        self._url = emulator.url
        self._bucket = f"contract-{uuid.uuid4().hex[:12]}"
        emulator.client("s3").create_bucket(
            Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )

    def deploy(self, *options: str) -> str:
        """`sam deploy`; returns its output."""
        sam = Path(sys.executable).with_name("sam")
        done = subprocess.run(
            f"{sam} deploy --stack-name {STACK} --s3-bucket {self._bucket} --region eu-west-1"
            " --no-confirm-changeset --no-progressbar"
            " --capabilities CAPABILITY_IAM CAPABILITY_NAMED_IAM".split()
            + list(options),
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": "0.1",
                "AWS_ENDPOINT_URL": self._url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which has to be there, in one of the app's files."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def app(emulator: Any, tmp_path_factory: pytest.TempPathFactory) -> App:
    """The app, deployed."""
    folder = tmp_path_factory.mktemp("sam") / "app"
    shutil.copytree(APP, folder)
    app = App(emulator, folder)
    app.deploy()
    return app


def greeting(emulator: Any) -> str:
    """The app's state machine now."""
    states = emulator.client("stepfunctions")
    outputs = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0][
        "Outputs"
    ]
    machine = next(o["OutputValue"] for o in outputs if o["OutputKey"] == "MachineArn")
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
    ended = finished(emulator, execution)
    assert ended["status"] == "SUCCEEDED", ended
    return str(json.loads(ended["output"])["said"])


@pytest.mark.usefixtures("app")
class TestTheDeployedApp:
    """https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html"""

    @pytest.mark.aws(
        "CloudFormation",
        "AWS::Serverless transform",
        "`sam deploy` makes a state machine of a YAML definition with substitutions, "
        "which runs a function with its layer and environment.",
        "https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html",
    )
    def test_its_machine_runs_its_function_with_its_layer(self, emulator: Any) -> None:
        """DefinitionUri in YAML, DefinitionSubstitutions, Layers, Environment, outputs.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
        """
        assert greeting(emulator) == "hello world"

    @pytest.mark.aws(
        "CloudFormation",
        "AWS::Lambda::Function",
        "Timeout, architecture, layers, reserved concurrency and asynchronous retries are"
        " as in the template.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html",
    )
    def test_its_function_has_every_property(self, emulator: Any) -> None:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html"""
        function = emulator.client("lambda").get_function(FunctionName="contract-greet")
        retries = emulator.client("lambda").get_function_event_invoke_config(
            FunctionName="contract-greet"
        )

        configuration = function["Configuration"]
        assert (
            configuration["Timeout"],
            configuration["Architectures"],
            len(configuration["Layers"]),
        ) == (60, ["arm64"], 1)
        assert function["Concurrency"]["ReservedConcurrentExecutions"] == 2
        assert retries["MaximumRetryAttempts"] == 1

    @pytest.mark.aws(
        "CloudFormation",
        "AWS::Events::Rule",
        "A target has its role, input path, retry policy and dead-letter queue.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-rule-target.html",
    )
    def test_its_rule_has_its_target_in_full(self, emulator: Any) -> None:
        """Arn, RoleArn, InputPath, RetryPolicy, DeadLetterConfig.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-rule-target.html
        """
        events = emulator.client("events")
        rules = [r["Name"] for r in events.list_rules(NamePrefix="contract-Machine")["Rules"]]
        assert len(rules) == 1

        (target,) = events.list_targets_by_rule(Rule=rules[0])["Targets"]

        assert target["Arn"].endswith(":stateMachine:contract-machine")
        assert ":role/" in target["RoleArn"]
        assert target["InputPath"] == "$.detail"
        assert target["RetryPolicy"] == {
            "MaximumEventAgeInSeconds": 300,
            "MaximumRetryAttempts": 3,
        }
        assert ":sqs:" in target["DeadLetterConfig"]["Arn"]

    @pytest.mark.aws(
        "CloudFormation",
        "resource types",
        "Tables, documents, alarms and log groups are as in the template.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html",
    )
    def test_its_other_resources_are_there(self, emulator: Any) -> None:
        """Table, document, alarm, log group, as the template says.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
        """
        table = emulator.client("dynamodb").describe_table(TableName="contract-ledger")["Table"]
        document = emulator.client("ssm").get_document(Name="contract-document")
        (alarm,) = emulator.client("cloudwatch").describe_alarms(AlarmNames=["contract-alarm"])[
            "MetricAlarms"
        ]
        (group,) = emulator.client("logs").describe_log_groups(
            logGroupNamePrefix="/contract/machine"
        )["logGroups"]

        assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
        assert json.loads(document["Content"])["parameters"]["Word"]["type"] == "String"
        assert alarm["Dimensions"][0]["Value"].endswith(":contract-machine")
        assert group["retentionInDays"] == 14

    @pytest.mark.aws(
        "CloudFormation",
        "AWS::SNS::Subscription",
        "A topic of the template has its policy, and a queue that subscribed gets its messages.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html",
    )
    def test_its_topic_reaches_its_subscribers(self, emulator: Any) -> None:
        """Topic, TopicPolicy and Subscription.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
        """
        sns, sqs = emulator.client("sns"), emulator.client("sqs")
        # Other tests have topics on this emulator, too.
        arn = emulator.client("cloudformation").describe_stack_resource(
            StackName="contract", LogicalResourceId="Topic"
        )["StackResourceDetail"]["PhysicalResourceId"]
        policy = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]

        sns.publish(TopicArn=arn, Message="heard")

        assert json.loads(policy)["Statement"][0]["Resource"] == arn
        queue = sqs.get_queue_url(QueueName="contract-heard")["QueueUrl"]
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        assert json.loads(message["Body"])["Message"] == "heard"

    @pytest.mark.aws(
        "CloudFormation",
        "CreateChangeSet",
        "A change set without changes fails and says so.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html",
    )
    def test_deploying_the_same_again_changes_nothing(self, emulator: Any, app: App) -> None:
        """A change set without changes fails with its reason.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
        """
        assert "No changes to deploy" in app.deploy("--no-fail-on-empty-changeset")


@pytest.mark.aws(
    "CloudFormation",
    "ExecuteChangeSet",
    "An update changes what was changed, code and layers included, and keeps the rest as it is.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
)
def test_a_second_deploy_updates_the_changed_resources(emulator: Any, app: App) -> None:
    """Update of a function's code, a layer, a definition and a document (UpdateMethod NewVersion).

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
    """
    table = emulator.client("dynamodb").describe_table(TableName="contract-ledger")["Table"]
    app.edit("function/app.py", '{layered.WORD}"', '{layered.WORD}!"')
    app.edit("layer/python/layered.py", "world", "again")
    app.edit("machine/machine.asl.yaml", "$.Payload.said", "States.Format('-{}-', $.Payload.said)")
    app.edit("template.yaml", "Says a word.", "Says one word.")
    app.edit("template.yaml", "RetentionInDays: 14", "RetentionInDays: 7")
    app.edit("template.yaml", "[{prefix: web}]", "[{prefix: lab}]")
    app.edit(
        "template.yaml",
        "BillingMode: PAY_PER_REQUEST",
        "BillingMode: PAY_PER_REQUEST\n"
        "      TimeToLiveSpecification: {AttributeName: until, Enabled: true}",
    )
    app.edit("template.yaml", "  Log:\n", "  Other:\n    Type: AWS::SQS::Queue\n  Log:\n")

    app.deploy("--parameter-overrides", "Greeting=hi")

    document = emulator.client("ssm").get_document(Name="contract-document")
    assert greeting(emulator) == "-hi again!-"
    assert invoke(emulator, "contract-greet", {}).answer["table"] == "contract-ledger"
    assert (document["DocumentVersion"], "one word" in document["Content"]) == ("2", True)
    kept = emulator.client("dynamodb").describe_table(TableName="contract-ledger")["Table"]
    ttl = emulator.client("dynamodb").describe_time_to_live(TableName="contract-ledger")
    (group,) = emulator.client("logs").describe_log_groups(logGroupNamePrefix="/contract/")[
        "logGroups"
    ]
    (rule,) = emulator.client("events").list_rules(NamePrefix="contract-Machine")["Rules"]
    assert kept["CreationDateTime"] == table["CreationDateTime"]
    assert ttl["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"
    assert group["retentionInDays"] == 7
    assert json.loads(rule["EventPattern"])["detail"] == {"group": [{"prefix": "lab"}]}
    assert emulator.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]


def _template(**resources: Any) -> str:
    return json.dumps({"Resources": resources})


QUEUE = {"Type": "AWS::SQS::Queue"}


@pytest.mark.absent(
    "CloudFormation",
    "CreateChangeSet",
    "A resource type that the emulator lacks is refused by name; none is left out silently.",
)
def test_a_resource_type_that_the_emulator_lacks_is_refused_by_name(
    emulator: Any, name: str
) -> None:
    """CreateChangeSet refuses unrecognized resource types; none is left out in silence.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html
    """
    template = _template(Queue=QUEUE, Odd={"Type": "AWS::Rare::Thing", "Properties": {}})

    with pytest.raises(ClientError, match="AWS::Rare::Thing"):
        emulator.client("cloudformation").create_change_set(
            StackName=name, ChangeSetName=name, ChangeSetType="CREATE", TemplateBody=template
        )


MACHINE = "Comment: &said Says nothing.\nStartAt: Pass\nStates: {Pass: {Type: Pass, End: true%s}}\n"


def _machine_of(emulator: Any, name: str, definition: str) -> dict[str, Any]:
    """Return a state machine whose definition is a file in a bucket of its own."""
    emulator.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    emulator.client("s3").put_object(Bucket=name, Key="m.asl.yaml", Body=definition.encode())
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": name,
            "RoleArn": "arn:aws:iam::123456789012:role/x",
            "DefinitionS3Location": {"Bucket": name, "Key": "m.asl.yaml"},
        },
    }


@pytest.mark.differs(
    "CloudFormation",
    "AWS::StepFunctions::StateMachine",
    "A definition file with a YAML alias is refused.",
    "AWS does not resolve the alias: it takes `*name` for the text `name`, which nobody means.",
)
@pytest.mark.parametrize(
    ("state", "reason"),
    [("", None), (", Comment: *said", "YAML alias *said"), (", <<: *said", "*said")],
)
def test_a_definition_file_with_a_yaml_alias_is_refused(
    emulator: Any, name: str, state: str, reason: str | None
) -> None:
    """CloudFormation's handler reads the file with Jackson, which resolves no alias.

    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-stepfunctions
    """
    cloudformation = emulator.client("cloudformation")
    template = _template(Machine=_machine_of(emulator, name, MACHINE % state))

    cloudformation.create_stack(StackName=name, TemplateBody=template)

    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    said = [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert (stack["StackStatus"] == "CREATE_COMPLETE") is (reason is None)
    assert len(said) == (0 if reason is None else 1)
    assert not said or str(reason) in said[0]


@pytest.mark.aws(
    "CloudFormation",
    "AWS::StepFunctions::StateMachine",
    "A DefinitionString is JSON; YAML in it is refused.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html",
)
def test_a_definition_string_in_yaml_is_refused(emulator: Any, name: str) -> None:
    cloudformation = emulator.client("cloudformation")
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/x",
            "DefinitionString": MACHINE % "",
        },
    }

    cloudformation.create_stack(StackName=name, TemplateBody=_template(Machine=machine))

    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


@pytest.mark.aws(
    "CloudFormation",
    "CreateChangeSet",
    "A template with a YAML alias is refused.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html",
)
def test_a_template_with_a_yaml_alias_is_refused(emulator: Any, name: str) -> None:
    template = "Resources:\n  First: &queue {Type: AWS::SQS::Queue}\n  Second: *queue\n"

    with pytest.raises(ClientError, match="YAML aliases are not allowed"):
        emulator.client("cloudformation").create_change_set(
            StackName=name, ChangeSetName=name, ChangeSetType="CREATE", TemplateBody=template
        )


@pytest.mark.aws(
    "CloudFormation",
    "CreateStack",
    "A creation that fails ends in ROLLBACK_COMPLETE, names the failed resource, and "
    "removes the others.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html",
)
@pytest.mark.differs(
    "CloudFormation",
    "CreateStack",
    "It is over when the call answers.",
    "nothing of the app waits for a stack but `sam deploy`, which finds it done",
)
def test_a_creation_that_fails_is_undone(emulator: Any, name: str) -> None:
    """ROLLBACK_COMPLETE, the failed resource named with its reason, the others removed.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
    """
    cloudformation = emulator.client("cloudformation")
    broken = {
        "Type": "AWS::StepFunctions::StateMachine",
        "DependsOn": "Queue",
        "Properties": {
            "RoleArn": "arn:aws:iam::123456789012:role/x",
            "DefinitionString": '{"States": {}}',
        },
    }
    queue = {**QUEUE, "Properties": {"QueueName": name}}

    cloudformation.create_stack(StackName=name, TemplateBody=_template(Broken=broken, Queue=queue))

    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e["LogicalResourceId"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert failed == ["Broken"]
    assert emulator.client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []


@pytest.mark.aws(
    "CloudFormation",
    "AWS::SSM::Document",
    "A document with a name of its own cannot be replaced, only get a new version.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html",
)
@pytest.mark.differs(
    "CloudFormation",
    "UpdateStack",
    "An update that fails is not rolled back: it ends in UPDATE_ROLLBACK_FAILED.",
    "the lab deploys a template once; a failed resource should stay visible",
)
def test_a_named_document_cannot_be_replaced(emulator: Any, name: str) -> None:
    """UpdateMethod Replace of a custom-named document fails; NewVersion is the way.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html
    """
    cloudformation = emulator.client("cloudformation")

    def document(command: str) -> str:
        step = {"action": "aws:runShellScript", "name": "x", "inputs": {"runCommand": [command]}}
        content = {"schemaVersion": "2.2", "mainSteps": [step]}
        properties = {"Name": name, "DocumentType": "Command", "Content": content}
        return _template(Doc={"Type": "AWS::SSM::Document", "Properties": properties})

    cloudformation.create_stack(StackName=name, TemplateBody=document("true"))
    cloudformation.update_stack(StackName=name, TemplateBody=document("false"))

    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "true" in emulator.client("ssm").get_document(Name=name)["Content"]


@pytest.mark.aws(
    "CloudFormation",
    "DeletionPolicy",
    "A resource that leaves the template is deleted, and stays with Retain.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html",
)
@pytest.mark.parametrize(("policy", "left"), [("Retain", 1), ("Delete", 0)])
def test_a_resource_that_leaves_the_template_is_removed_unless_retained(
    emulator: Any, name: str, policy: str, left: int
) -> None:
    """DeletionPolicy: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"""
    cloudformation = emulator.client("cloudformation")
    going = {**QUEUE, "DeletionPolicy": policy, "Properties": {"QueueName": name}}
    cloudformation.create_stack(StackName=name, TemplateBody=_template(Stays=QUEUE, Goes=going))

    cloudformation.update_stack(StackName=name, TemplateBody=_template(Stays=QUEUE))

    queues = emulator.client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", [])
    assert len([url for url in queues if url.endswith(f"/{name}")]) == left


@pytest.mark.aws(
    "CloudFormation",
    "DeleteStack",
    "The stack's resources go with it.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html",
)
def test_a_deleted_stack_leaves_nothing(emulator: Any, name: str) -> None:
    """DeleteStack: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    cloudformation = emulator.client("cloudformation")
    queue = {**QUEUE, "Properties": {"QueueName": name}}
    cloudformation.create_stack(StackName=name, TemplateBody=_template(Queue=queue))

    cloudformation.delete_stack(StackName=name)

    assert emulator.client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []
