"""A command's whole output, in S3, where GetCommandInvocation returns only its beginning.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html
"""

from botocore.exceptions import BotoCoreError, ClientError
from moto.s3.models import s3_backends

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator
from labswarm_emulator.machines import Completed
from labswarm_emulator.ssm.command import Command, Invocation, Output

PLUGIN = "awsrunShellScript"


def bucket_exists(output: Output) -> bool:
    """Whether there is a bucket for it."""
    return output.bucket in s3_backends[ACCOUNT]["aws"].buckets


def url(command: Command, invocation: Invocation, stream: str) -> str:
    """Where `stdout` or `stderr` of an invocation is; empty when no bucket was named."""
    if command.output is None:
        return ""
    key = _key(command, command.output, invocation, stream)
    return f"https://s3.{REGION}.amazonaws.com/{command.output.bucket}/{key}"


def write(
    emulator: Emulator, command: Command, invocation: Invocation, completed: Completed
) -> None:
    """Upload what the script said, as its agent does; a failure stays the agent's."""
    if command.output is None:
        return
    s3 = emulator.client("s3")
    for stream, said in (("stdout", completed.stdout), ("stderr", completed.stderr)):
        if not said:
            continue
        key = _key(command, command.output, invocation, stream)
        try:
            s3.put_object(Bucket=command.output.bucket, Key=key, Body=said.encode())
        except (BotoCoreError, ClientError) as error:
            about = {"instance": invocation.instance_id, "command": command.command_id}
            emulator.record.write("ssm", "output not stored", key=key, error=str(error), **about)


def _key(command: Command, output: Output, invocation: Invocation, stream: str) -> str:
    parts = (command.command_id, invocation.instance_id, PLUGIN, command.script.step, stream)
    return "/".join(filter(None, (output.prefix.strip("/"), *parts)))
