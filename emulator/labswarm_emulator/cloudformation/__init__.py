"""CloudFormation as `sam deploy` uses it: the Serverless transform, change sets, our resources.

Differences from AWS: a deployment is over when ExecuteChangeSet answers, and a failed *update* is
not rolled back (the stack says UPDATE_ROLLBACK_FAILED; a failed creation is undone).
"""

from labswarm_emulator.cloudformation import (
    alarm,
    deployment,
    document,
    event_invoke_config,
    function,
    layer,
    policies,
    state_machine,
    subscription,
    transform,
)
from labswarm_emulator.cloudformation import stateful_updates as kept
from labswarm_emulator.emulator import Emulator

ADDED = (
    alarm.AlarmResource,
    event_invoke_config.EventInvokeConfigResource,
    policies.QueuePolicy,
    policies.TopicPolicy,
    subscription.Subscription,
)
"""Resource types that moto lacks; it finds every subclass of its CloudFormationModel by itself."""


def install(emulator: Emulator) -> None:
    """Extend moto's CloudFormation in place."""
    transform.install()
    deployment.install(emulator)
    for corrected in (document, function, kept, layer, state_machine):
        corrected.install()
