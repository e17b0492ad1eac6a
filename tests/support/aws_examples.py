"""The examples of AWS's Step Functions documentation, in words of our own.

Each says where it is from, and the documented result.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.state_machines import branch, one

GUIDE = "https://docs.aws.amazon.com/step-functions/latest/dg/"

FUNCTION = """
class HandledError(Exception): ...
class ErrorA(Exception): ...
class ErrorB(Exception): ...
class ErrorC(Exception): ...

def handler(event, context):
    match event:
        case {"who": who}:
            return f"Hello, {who}!"
        case {"raise": names, "count": count}:
            if count < len(names):
                raise globals()[names[count]]("asked to")
            return "recovered"
        case {"raise": name}:
            raise globals()[name]("asked to")
        case {"sleep": seconds}:
            import time
            time.sleep(seconds)
            return "late"
        case {"iterator": {"count": count, "index": index, "step": step}}:
            index += step
            return {"index": index, "step": step, "count": count, "continue": index < count}
        case {"parcel": parcel, "courier": courier}:
            return f"{courier} takes {parcel['quantity']} of {parcel['prod']}"
        case {"quantity": quantity, **parcel}:
            return {**parcel, "quantity": quantity, "valid": quantity < 1000}
        case {"find": what, "id": number}:
            return {what: f"{what} of {number}"}
        case {"submit": name}:
            return f"job-{name}"
        case {"job": job, "looks": looks}:
            return {"job": job, "looks": looks + 1, "status": "SUCCEEDED" if looks else "RUNNING"}
        case {"email": email}:
            return {"approved": "@" in email, "message": "identity checked"}
        case {"zip": code}:
            return {"approved": len(code) == 5, "message": "address checked"}
    return event
"""
"""One function for all of them: the event says what it does."""


@dataclass(frozen=True)
class Resources:
    """The resources that the examples name: the ARN of the function, of a topic, a queue's URL, a
    table.
    """

    function: str
    topic: str
    queue: str
    table: str
    machine: str


@dataclass(frozen=True)
class Example:
    """A machine of the documentation: its page, input, and output or error."""

    page: str
    machine: Callable[[Resources], dict[str, Any]]
    given: Any = field(default_factory=dict)
    gives: Any = None
    error: str | None = None


def call(resources: Resources, **fields: Any) -> dict[str, Any]:
    """A Task that calls the function with its input, as `Resource`."""
    return {"Type": "Task", "Resource": resources.function, **fields}


def invoke(resources: Resources, payload: Any, **fields: Any) -> dict[str, Any]:
    """A Task that calls the function by the integration."""
    parameters = {"FunctionName": resources.function, "Payload": payload}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": parameters,
        **fields,
    }


def ends(*names: str) -> dict[str, dict[str, Any]]:
    return {name: {"Type": "Pass", "Result": name, "End": True} for name in names}


def choices(_: Resources) -> dict[str, Any]:
    twenties = [
        {"Variable": "$.value", "NumericGreaterThanEquals": 20},
        {"Variable": "$.value", "NumericLessThan": 30},
    ]
    rules = [
        {"Not": {"Variable": "$.type", "StringEquals": "Private"}, "Next": "Public"},
        {"Variable": "$.value", "NumericEquals": 0, "Next": "Zero"},
        {"And": twenties, "Next": "Twenties"},
    ]
    return one(
        {"Type": "Choice", "Choices": rules, "Default": "Unmatched"},
        **ends("Public", "Zero", "Twenties"),
        Unmatched={"Type": "Fail", "Error": "DefaultStateError", "Cause": "No Matches!"},
    )


def present(_: Resources) -> dict[str, Any]:
    both = [
        {"Variable": "$.maybe", "IsPresent": True},
        {"Variable": "$.maybe", "StringEquals": "foo"},
    ]
    choice = {"Type": "Choice", "Choices": [{"And": both, "Next": "Yes"}], "Default": "No"}
    return one(choice, **ends("Yes", "No"))


def shipping(resources: Resources, selector: dict[str, Any] | None) -> dict[str, Any]:
    state = {
        "Type": "Map",
        "InputPath": "$.detail",
        "ItemsPath": "$.shipped",
        "MaxConcurrency": 0,
        "ResultPath": "$.detail.shipped",
        "ItemProcessor": branch("Validate", call(resources)),
    }
    return one(state | ({"ItemSelector": selector} if selector else {}))


SHIPPED = [
    {"prod": "R31", "dest-code": 9511, "quantity": 1344},
    {"prod": "S39", "dest-code": 9511, "quantity": 40},
]
ORDER = {"ship-date": "2016-03-14", "detail": {"delivery-partner": "UQS", "shipped": SHIPPED}}
EACH_PARCEL = {"parcel.$": "$$.Map.Item.Value", "courier.$": "$.delivery-partner"}


def lookup(resources: Resources) -> dict[str, Any]:
    def finder(what: str) -> dict[str, Any]:
        made = {"find": what, "id.$": "$.customerId"}
        return branch(f"Lookup {what}", call(resources, Parameters=made))

    return one({"Type": "Parallel", "Branches": [finder("address"), finder("phone")]})


def hello(path: dict[str, Any]) -> Callable[[Resources], dict[str, Any]]:
    return lambda resources: one(call(resources, **path))


WHO = {"comment": "This is a test.", "details": "Default example", "who": "AWS Step Functions"}
HELLO = "Hello, AWS Step Functions!"
STRINGS = {"comment": "c", "strings": {"string1": "foo"}, "who": "AWS Step Functions"}
PRODUCT = {
    "comment": "Example for Parameters.",
    "product": {"details": {"color": "blue", "size": "small"}, "availability": "in stock"},
}


def passing(**fields: Any) -> Callable[[Resources], dict[str, Any]]:
    return lambda _: one({"Type": "Pass", **fields})


def verification(resources: Resources) -> dict[str, Any]:
    def check(what: str) -> dict[str, Any]:
        state = invoke(resources, None, InputPath=f"$.data.{what}", OutputPath="$.Payload")
        state["Parameters"] = {"FunctionName": resources.function, "Payload.$": "$"}
        return branch(f"Verify {what}", state)

    state = {"Type": "Parallel", "Branches": [check("identity"), check("address")]}
    return one({**state, "ResultPath": "$.results", "OutputPath": "$.results"})


APPLICANT = {
    "data": {
        "firstname": "Jane",
        "identity": {"email": "jdoe@example.com"},
        "address": {"city": "Columbus", "zip": "43219"},
    }
}


def retried(resources: Resources, errors: list[str]) -> dict[str, Any]:
    """Two retries of A or B, three of C; all others, and more of them, are caught."""
    retry = [
        {
            "ErrorEquals": ["ErrorA", "ErrorB"],
            "IntervalSeconds": 1,
            "BackoffRate": 2.0,
            "MaxAttempts": 2,
        },
        {"ErrorEquals": ["ErrorC"], "IntervalSeconds": 5},
    ]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]
    made = {"raise": errors, "count.$": "$$.State.RetryCount"}
    state = call(resources, Parameters=made, Retry=retry, Catch=catch, Next="Y")
    return one(state, **ends("Y", "Z"))


def falling_back(*names: str) -> Callable[[Resources], dict[str, Any]]:
    return lambda resources: one(
        call(resources, Catch=[{"ErrorEquals": list(names), "Next": "fallback"}]),
        **ends("fallback"),
    )


def impatient(resources: Resources) -> dict[str, Any]:
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    return one(call(resources, TimeoutSeconds=10, Retry=retry))


def poller(resources: Resources) -> dict[str, Any]:
    rules = [
        {"Variable": "$.job.status", "StringEquals": "FAILED", "Next": "Job Failed"},
        {"Variable": "$.job.status", "StringEquals": "SUCCEEDED", "Next": "Final Status"},
    ]
    start = {"job": "", "looks": 0}
    return {
        "StartAt": "Submit Job",
        "States": {
            "Submit Job": invoke(
                resources,
                {"submit.$": "$.name"},
                ResultSelector={**start, "job.$": "$.Payload"},
                ResultPath="$.job",
                Next="Wait X Seconds",
            ),
            "Wait X Seconds": {
                "Type": "Wait",
                "SecondsPath": "$.wait_time",
                "Next": "Get Job Status",
            },
            "Get Job Status": call(
                resources, InputPath="$.job", ResultPath="$.job", Next="Job Complete?"
            ),
            "Job Complete?": {"Type": "Choice", "Choices": rules, "Default": "Wait X Seconds"},
            "Job Failed": {"Type": "Fail", "Error": "DescribeJob returned FAILED"},
            "Final Status": {"Type": "Pass", "OutputPath": "$.job", "End": True},
        },
    }


def iterating(resources: Resources) -> dict[str, Any]:
    counted = {"Variable": "$.iterator.continue", "BooleanEquals": True, "Next": "ExampleWork"}
    return {
        "StartAt": "ConfigureCount",
        "States": {
            "ConfigureCount": {
                "Type": "Pass",
                "Result": {"count": 3, "index": 0, "step": 1},
                "ResultPath": "$.iterator",
                "Next": "Iterator",
            },
            "Iterator": call(resources, ResultPath="$.iterator", Next="IsCountReached"),
            "IsCountReached": {"Type": "Choice", "Choices": [counted], "Default": "Done"},
            "ExampleWork": {
                "Type": "Pass",
                "Comment": "Your application logic, to run a specific number of times",
                "Result": {"success": True},
                "ResultPath": "$.result",
                "Next": "Iterator",
            },
            "Done": {"Type": "Pass", "End": True},
        },
    }


def transfer(resources: Resources) -> dict[str, Any]:
    """From a table to a queue, item by item, until the list says DONE."""
    more = {"Not": {"Variable": "$.List[0]", "StringEquals": "DONE"}, "Next": "Read"}
    return {
        "StartAt": "Loop",
        "TimeoutSeconds": 3600,
        "States": {
            "Loop": {"Type": "Choice", "Choices": [more], "Default": "Succeed"},
            "Read": {
                "Type": "Task",
                "Resource": "arn:aws:states:::dynamodb:getItem",
                "Parameters": {
                    "TableName": resources.table,
                    "Key": {"MessageId": {"S.$": "$.List[0]"}},
                },
                "ResultPath": "$.DynamoDB",
                "Next": "Send",
            },
            "Send": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {
                    "MessageBody.$": "$.DynamoDB.Item.Message.S",
                    "QueueUrl": resources.queue,
                },
                "ResultPath": "$.SQS",
                "Next": "Pop",
            },
            "Pop": {"Type": "Pass", "Parameters": {"List.$": "$.List[1:]"}, "Next": "Loop"},
            "Succeed": {"Type": "Succeed"},
        },
    }


def publishing(resources: Resources) -> dict[str, Any]:
    attributes = {"first": {"DataType": "String", "StringValue": "value of the first"}}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {
            "TopicArn": resources.topic,
            "Message.$": "$.input.message",
            "MessageAttributes": attributes,
        },
        "ResultSelector": {"published.$": "States.ArrayLength(States.Array($.MessageId))"},
    }
    return one(state)


def timer(resources: Resources) -> dict[str, Any]:
    wait = {"Type": "Wait", "SecondsPath": "$.timer_seconds", "Next": "Send SNS Message"}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sns:publish",
        "Parameters": {"TopicArn": resources.topic, "Message.$": "$.message"},
        "ResultPath": None,
        "End": True,
    }
    return one(wait, **{"Send SNS Message": state})


def sending(resources: Resources) -> dict[str, Any]:
    message = {"From": "YVR", "To": "SEA", "Execution.$": "$$.Execution.Id"}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": resources.queue, "MessageBody": message},
        "ResultSelector": {"sent.$": "States.ArrayLength(States.Array($.MessageId))"},
    }
    return one(state)


def putting(_: Resources) -> dict[str, Any]:
    entry = {
        "Detail": {"Message": "MyMessage"},
        "DetailType": "MyDetailType",
        "EventBusName": "default",
        "Source": "my.source",
    }
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Parameters": {"Entries": [entry]},
        "ResultSelector": {"failed.$": "$.FailedEntryCount"},
    }
    return one(state)


def full_result(resources: Resources) -> dict[str, Any]:
    keep = {"payload.$": "$.Payload", "version.$": "$.ExecutedVersion", "code.$": "$.StatusCode"}
    return one(invoke(resources, {"who": "you"}, ResultSelector=keep))


def nested(resources: Resources) -> dict[str, Any]:
    given = {"Comment": "Hello!", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$": "$$.Execution.Id"}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"Input": given, "StateMachineArn": resources.machine},
        "ResultSelector": {"started.$": "States.StringSplit($.ExecutionArn, ':')"},
        "OutputPath": "$.started[5]",
    }
    return one(state)


def own_approval(resources: Resources) -> dict[str, Any]:
    """A task that waits for its token, and another that answers: both of the SDK."""
    return one(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess.waitForTaskToken",
            "Parameters": {"TaskToken.$": "$$.Task.Token", "Output.$": "$.decision"},
            "HeartbeatSeconds": 600,
            "ResultPath": None,
            "Next": "Buy or Sell?",
        },
        **{
            "Buy or Sell?": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.recommended", "StringEquals": "buy", "Next": "Buy"},
                    {"Variable": "$.recommended", "StringEquals": "sell", "Next": "Sell"},
                ],
            }
        },
        **ends("Buy", "Sell"),
    )


def buckets(_: Resources) -> dict[str, Any]:
    listed = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
        "Parameters": {"MaxResults": 1},
        "ResultSelector": {"queues.$": "$.QueueUrls"},
        "Next": "Each",
    }
    attributes = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueAttributes",
        "Parameters": {"QueueUrl.$": "$", "AttributeNames": ["QueueArn"]},
        "ResultSelector": {"found.$": "States.ArrayLength(States.Array($.Attributes.QueueArn))"},
    }
    each = {"Type": "Map", "ItemsPath": "$.queues", "ItemProcessor": branch("Read", attributes)}
    return one(listed, Each={**each, "End": True})


def jsonata(state: dict[str, Any], **more: dict[str, Any]) -> Callable[[Resources], dict[str, Any]]:
    return lambda _: {"QueryLanguage": "JSONata", **one(state, **more)}


EXAMPLES: dict[str, Example] = {
    "a choice: private, in the twenties": Example(
        "state-choice.html", choices, {"type": "Private", "value": 22}, "Twenties"
    ),
    "a choice: not private": Example(
        "state-choice.html", choices, {"type": "Public", "value": 22}, "Public"
    ),
    "a choice: zero": Example(
        "state-choice.html", choices, {"type": "Private", "value": 0}, "Zero"
    ),
    "a choice: no match": Example(
        "state-choice.html", choices, {"type": "Private", "value": 5}, error="DefaultStateError"
    ),
    "a field that may not be there": Example("state-choice.html", present, {}, "No"),
    "a field that is there": Example("state-choice.html", present, {"maybe": "foo"}, "Yes"),
    "fixed data into the input": Example(
        "state-pass.html",
        passing(Result={"x-datum": 0.381018, "y-datum": 622.226}, ResultPath="$.coords"),
        {"georefOf": "Home"},
        {"georefOf": "Home", "coords": {"x-datum": 0.381018, "y-datum": 622.226}},
    ),
    "a map over what was shipped": Example(
        "state-map-inline.html",
        lambda resources: shipping(resources, None),
        ORDER,
        {
            "ship-date": "2016-03-14",
            "detail": {
                "delivery-partner": "UQS",
                "shipped": [{**SHIPPED[0], "valid": False}, {**SHIPPED[1], "valid": True}],
            },
        },
    ),
    "a map with an item selector": Example(
        "input-output-itemselector.html",
        lambda resources: shipping(resources, EACH_PARCEL),
        ORDER,
        {
            "ship-date": "2016-03-14",
            "detail": {
                "delivery-partner": "UQS",
                "shipped": ["UQS takes 1344 of R31", "UQS takes 40 of S39"],
            },
        },
    ),
    "two lookups at once": Example(
        "state-parallel.html",
        lookup,
        {"customerId": "7"},
        [{"address": "address of 7"}, {"phone": "phone of 7"}],
    ),
    "what pirates say": Example(
        "input-output-itemspath.html",
        lambda _: one(
            {
                "Type": "Map",
                "ItemsPath": "$.ThingsPiratesSay",
                "ItemProcessor": branch("SayWord", {"Type": "Pass"}),
            }
        ),
        {"ThingsPiratesSay": [{"say": "Avast!"}, {"say": "Yar!"}], "ThingsGiantsSay": []},
        [{"say": "Avast!"}, {"say": "Yar!"}],
    ),
    "a result instead of the input": Example("input-output-resultpath.html", hello({}), WHO, HELLO),
    "the input instead of a result": Example(
        "input-output-resultpath.html", hello({"ResultPath": None}), WHO, WHO
    ),
    "a result in the input": Example(
        "input-output-resultpath.html",
        hello({"ResultPath": "$.taskresult"}),
        WHO,
        {**WHO, "taskresult": HELLO},
    ),
    "a result in a part of the input": Example(
        "input-output-resultpath.html",
        hello({"ResultPath": "$.strings.lambdaresult"}),
        STRINGS,
        {**STRINGS, "strings": {"string1": "foo", "lambdaresult": HELLO}},
    ),
    "a result in the place of a field": Example(
        "input-output-resultpath.html",
        hello({"ResultPath": "$.comment"}),
        WHO,
        {**WHO, "comment": HELLO},
    ),
    "an error in the input": Example(
        "input-output-resultpath.html",
        lambda resources: one(
            call(
                resources,
                Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Next"}],
            ),
            Next={
                "Type": "Pass",
                "Parameters": {"raise.$": "$.raise", "error.$": "$.error.Error"},
                "End": True,
            },
        ),
        {"raise": "HandledError"},
        {"raise": "HandledError", "error": "HandledError"},
    ),
    "a part of the input": Example(
        "input-output-inputpath-params.html",
        passing(InputPath="$.dataset2"),
        {"dataset1": {"val1": 1}, "dataset2": {"val1": "a", "val2": "b"}},
        {"val1": "a", "val2": "b"},
    ),
    "a slice of an array": Example(
        "input-output-inputpath-params.html",
        passing(InputPath="$.a[0:2]"),
        {"a": [1, 2, 3, 4]},
        [1, 2],
    ),
    "parameters of the input and fixed ones": Example(
        "input-output-inputpath-params.html",
        passing(
            Parameters={
                "comment": "Selecting what I care about.",
                "MyDetails": {
                    "size.$": "$.product.details.size",
                    "exists.$": "$.product.availability",
                    "StaticValue": "foo",
                },
            }
        ),
        PRODUCT,
        {
            "comment": "Selecting what I care about.",
            "MyDetails": {"size": "small", "exists": "in stock", "StaticValue": "foo"},
        },
    ),
    "input, result and output of one task": Example(
        "input-output-example.html",
        hello(
            {
                "InputPath": "$.lambda",
                "ResultPath": "$.data.lambdaresult",
                "OutputPath": "$.data",
            }
        ),
        {
            "comment": "c",
            "data": {"val1": 23, "val2": 17},
            "extra": "foo",
            "lambda": {"who": "AWS Step Functions"},
        },
        {"val1": 23, "val2": 17, "lambdaresult": HELLO},
    ),
    "an applicant verified": Example(
        "input-output-example.html",
        verification,
        APPLICANT,
        [
            {"approved": True, "message": "identity checked"},
            {"approved": True, "message": "address checked"},
        ],
    ),
    "retries: each error by its own retrier": Example(
        "concepts-error-handling.html",
        lambda resources: retried(resources, ["ErrorA", "ErrorB", "ErrorC"]),
        {},
        "Y",
    ),
    "retries: A, B, and A once too often": Example(
        "concepts-error-handling.html",
        lambda resources: retried(resources, ["ErrorA", "ErrorB", "ErrorC", "ErrorB"]),
        {},
        "Z",
    ),
    "retries: an error of no retrier": Example(
        "concepts-error-handling.html",
        lambda resources: retried(resources, ["HandledError"]),
        {},
        "Z",
    ),
    "an error caught by its name": Example(
        "concepts-error-handling.html",
        falling_back("HandledError"),
        {"raise": "HandledError"},
        "fallback",
    ),
    "an error caught as a failed task": Example(
        "concepts-error-handling.html",
        falling_back("States.TaskFailed"),
        {"raise": "ErrorA"},
        "fallback",
    ),
    "an error not caught by another's name": Example(
        "tutorial-handling-error-conditions.html",
        falling_back("CustomError"),
        {"raise": "HandledError"},
        error="HandledError",
    ),
    "everything but a timeout is tried again": Example(
        "concepts-error-handling.html", impatient, {"sleep": 2}, error="States.Timeout"
    ),
    "a timeout caught": Example(
        "concepts-error-handling.html",
        lambda resources: one(
            call(
                resources,
                TimeoutSeconds=10,
                Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "fallback"}],
            ),
            **ends("fallback"),
        ),
        {"sleep": 2},
        "fallback",
    ),
    "a job polled until it is done": Example(
        "sample-project-job-poller.html",
        poller,
        {"name": "a", "wait_time": 2},
        {"job": "job-a", "looks": 2, "status": "SUCCEEDED"},
    ),
    "a loop by a counting function": Example(
        "tutorial-create-iterate-pattern-section.html",
        iterating,
        {"Comment": "Test my Iterator function"},
        {
            "Comment": "Test my Iterator function",
            "iterator": {"index": 3, "step": 1, "count": 3, "continue": False},
            "result": {"success": True},
        },
    ),
    "records from a table to a queue": Example(
        "sample-project-transfer-data-sqs.html",
        transfer,
        {"List": ["1", "2", "DONE"]},
        {"List": ["DONE"]},
    ),
    "a message published": Example(
        "connect-sns.html", publishing, {"input": {"message": "hello"}}, {"published": 1}
    ),
    "a timer": Example(
        "task-timer-sample.html",
        timer,
        {"timer_seconds": 2, "message": "HELLO!"},
        {"timer_seconds": 2, "message": "HELLO!"},
    ),
    "a message to a queue, with the execution in it": Example(
        "input-output-contextobject.html", sending, {}, {"sent": 1}
    ),
    "an event put": Example("connect-eventbridge.html", putting, {}, {"failed": 0}),
    "the whole result of a function": Example(
        "connect-lambda.html",
        full_result,
        {},
        {"payload": "Hello, you!", "version": "$LATEST", "code": 200},
    ),
    "a map's context": Example(
        "input-output-contextobject.html",
        lambda _: one(
            {
                "Type": "Map",
                "ItemSelector": {
                    "ContextIndex.$": "$$.Map.Item.Index",
                    "ContextValue.$": "$$.Map.Item.Value",
                },
                "ItemProcessor": branch("TestPass", {"Type": "Pass"}),
            }
        ),
        [{"who": "bob"}, {"who": "meg"}],
        [
            {"ContextIndex": 0, "ContextValue": {"who": "bob"}},
            {"ContextIndex": 1, "ContextValue": {"who": "meg"}},
        ],
    ),
    "a machine started by a machine": Example(
        "connect-stepfunctions.html", nested, {}, "execution"
    ),
    "an approval by token": Example(
        "sample-lambda-orchestration.html",
        own_approval,
        {"decision": '"approved"', "recommended": "sell"},
        "Sell",
    ),
    "an API listed, and each looked up": Example(
        "tutorial-gather-s3-bucket-info-using-aws-sdk-service-integrations.html",
        buckets,
        {},
        [{"found": 1}],
    ),
    "JSONata: a total of an order": Example(
        "transforming-data.html",
        jsonata(
            {
                "Type": "Pass",
                "Output": {
                    "total": "{% $sum($states.input.items.(price * quantity)) %}",
                    "names": "{% $states.input.items[price > 5].name %}",
                },
            }
        ),
        {
            "items": [
                {"name": "hat", "price": 10, "quantity": 2},
                {"name": "pin", "price": 1, "quantity": 5},
                {"name": "bag", "price": 7, "quantity": 1},
            ]
        },
        {"total": 32, "names": ["hat", "bag"]},
    ),
    "variables: kept over several states": Example(
        "workflow-variables.html",
        jsonata(
            {
                "Type": "Pass",
                "Assign": {"productName": "product1", "count": 42, "available": True},
                "Next": "Last",
            },
            Last={
                "Type": "Succeed",
                "Output": "{% $available ? $productName & ' x' & $count : 'none' %}",
            },
        ),
        {},
        "product1 x42",
    ),
}
