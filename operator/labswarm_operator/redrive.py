"""`labswarm redrive`: send the events of a dead-letter queue to their targets again.

A rule's dead letter has its target in an attribute and the target's input in its body
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html); a function's has the
function and the event in its body
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from labswarm.aws.errors import code_of
from labswarm.aws.hooks import AutoScalingHooks
from labswarm.cluster import INSTANCE_ID
from labswarm.errors import BadInput, Gone, LabswarmError, Permanent
from labswarm.lifecycle import events
from labswarm.lifecycle.events import LifecycleEvent, SpotNotice
from labswarm.lifecycle.work import NOTICE_S
from labswarm.names import app_name
from labswarm_operator.account import Clients, asked
from labswarm_operator.refusal import Refusal

QUEUE = app_name("undelivered")
# No other reader receives the messages of this run for so long.
_HIDDEN_S = 120
_MOST = 1000
# Long polling asks all servers of a queue, short polling only some.
_WAIT_S = 1
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
# How old (seconds) what knows no hook may be. Events of every minute come again; a hook that an
# execution left may wait for two days.
_FRESH_S = {
    "Scheduled Event": 60,
    "SeatsShort": 60,
    "Step Functions Execution Status Change": 48 * 3600,
}
_OTHERS_FRESH_S = 300

Done = Literal["sent", "dropped", "kept"]


@dataclass(frozen=True)
class Letter:
    """A dead letter: when it was sent to the queue (epoch seconds), its first target (an ARN; empty
    when it does not say), its input (JSON), and why it was not delivered."""

    message_id: str
    receipt: str
    at: float
    target: str
    payload: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """The result of a letter, or the result it would have, and why."""

    id: str
    at: str
    event: str
    target: str
    done: Done
    why: str


def redrive(clients: Clients, queue: str, now: float, *, dry_run: bool) -> Sequence[Outcome]:
    """Send the letters of a queue again, the oldest first; stale letters are dropped.

    Letters that cannot be sent or read are kept. Raises Refusal where there is no such queue.
    """
    with asked():
        sqs = clients("sqs")
        url = _url(sqs, queue)
        letters = sorted(_received(sqs, url), key=lambda letter: letter.at)
        outcomes = []
        for letter in letters:
            outcome = _decided(clients, letter, now)
            if outcome.done == "sent" and not dry_run:
                outcome = _sent(clients, letter, outcome)
            if outcome.done == "kept" or dry_run:
                # The next reader sees it at once.
                sqs.change_message_visibility(
                    QueueUrl=url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
                )
            else:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter.receipt)
            outcomes.append(outcome)
    return outcomes


def lines(outcomes: Sequence[Outcome], *, dry_run: bool) -> Iterator[str]:
    """The text for a person."""
    if not outcomes:
        yield "The queue is empty."
    for one in outcomes:
        done = f"would be {one.done}" if dry_run else one.done
        yield f"{done}: {one.at} {one.event} to {one.target.rpartition(':')[2]}: {one.why}"


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return the same as JSON, an object per letter."""
    return json.dumps([asdict(outcome) for outcome in outcomes])


def _url(sqs: Any, queue: str) -> str:
    try:
        with asked():
            return str(sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    except LabswarmError as error:
        if code_of(error) in _NO_QUEUE:
            raise Refusal(
                f"--queue: There is no queue {queue!r}. Deploy the app first: `sam deploy`."
            ) from error
        raise


def _received(sqs: Any, url: str) -> Iterator[Letter]:
    seen: set[str] = set()
    while len(seen) < _MOST:
        messages = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_HIDDEN_S,
            WaitTimeSeconds=_WAIT_S,
            AttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return
        for message in messages:
            if message["MessageId"] not in seen:
                seen.add(message["MessageId"])
                yield _letter(message)


def _letter(message: Mapping[str, Any]) -> Letter:
    attributes = {
        name: given.get("StringValue", "")
        for name, given in message.get("MessageAttributes", {}).items()
    }
    target, payload = attributes.get("TARGET_ARN", ""), str(message["Body"])
    why = ": ".join(filter(None, map(attributes.get, ("ERROR_CODE", "ERROR_MESSAGE"))))
    if not target:
        record = _object(payload)
        context = record.get("requestContext")
        if isinstance(context, Mapping) and "requestPayload" in record:
            # Without its version, which may be gone.
            target = ":".join(str(context.get("functionArn", "")).split(":")[:7])
            payload = json.dumps(record["requestPayload"])
            why = str(context.get("condition", ""))
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        at=int(message["Attributes"]["SentTimestamp"]) / 1000,
        target=target,
        payload=payload,
        why=why,
    )


def _decided(clients: Clients, letter: Letter, now: float) -> Outcome:
    event = _object(letter.payload)
    instance = INSTANCE_ID.search(letter.payload)
    named = " ".join(filter(None, (event.get("detail-type", "input"), instance and instance[0])))

    def outcome(done: Done, why: str) -> Outcome:
        at = datetime.fromtimestamp(letter.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Outcome(letter.message_id, at, named, letter.target, done, why)

    if letter.target.split(":")[2:3] not in (["states"], ["lambda"]):
        return outcome("kept", "it names no state machine or function; read it by hand")
    if stale := _stale(clients, event, letter.at, now):
        return outcome("dropped", stale)
    return outcome("sent", f"it failed: {letter.why}")


def _stale(clients: Clients, event: Mapping[str, Any], sent_at: float, now: float) -> str | None:
    """Return why an event is too old to be of use; None if it is not."""
    kind = event.get("detail-type", "")
    if event.get("source") not in ("aws.autoscaling", "aws.ec2"):
        fresh_s = _FRESH_S.get(kind, _OTHERS_FRESH_S)
        return _too_old(now - sent_at, fresh_s)
    try:
        read = events.parse(event)
    except BadInput as error:
        return f"malformed: {error}"
    if isinstance(read, SpotNotice):
        return _too_old(now - read.at, NOTICE_S)
    if not isinstance(read, LifecycleEvent):
        return read.reason
    try:
        timeout_s = AutoScalingHooks(clients("autoscaling")).timeout_s(read.asg, read.hook)
    except (BadInput, Permanent) as error:
        return str(error)
    return _too_old(now - read.at, timeout_s)


def _too_old(age_s: float, fresh_s: float) -> str | None:
    return f"{age_s:.0f} s old, useful for {fresh_s:.0f} s" if age_s >= fresh_s else None


def _sent(clients: Clients, letter: Letter, outcome: Outcome) -> Outcome:
    try:
        with asked():
            if letter.target.split(":")[2] == "lambda":
                clients("lambda").invoke(
                    FunctionName=letter.target, InvocationType="Event", Payload=letter.payload
                )
            else:
                # Step Functions runs a name only once, however often the letter is sent.
                clients("stepfunctions").start_execution(
                    stateMachineArn=letter.target,
                    name=f"redrive-{letter.message_id}",
                    input=letter.payload,
                )
    except Gone:
        return outcome
    except LabswarmError as error:
        return Outcome(**{**asdict(outcome), "done": "kept", "why": str(error)})
    return outcome


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
