"""A Map's items must be an array, or the execution ends with States.Runtime.

moto says States.QueryEvaluationError in JSONPath too, which a Catch takes for its own.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemspath.html
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.path.items_path import ItemsPath

from labswarm_emulator.stepfunctions.failures import failure


def install() -> None:
    """Check the value that ItemsPath selects."""
    select = ItemsPath._eval_body

    def selected(declared: ItemsPath, env: Any) -> None:
        select(declared, env)
        if not isinstance(env.stack[-1], list):
            path = declared.string_sampler.literal_value
            cause = f'Reference path "{path}" must point to array.'
            raise failure(env, "States.Runtime", cause)

    ItemsPath._eval_body = selected
