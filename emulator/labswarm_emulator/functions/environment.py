"""The environment of a function's worker.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import os
from collections.abc import Mapping

from moto.awslambda.models import LambdaFunction

from labswarm_emulator.functions.bundle import Bundle


def environment(function: LambdaFunction, bundle: Bundle, emulator_url: str) -> Mapping[str, str]:
    """Return Lambda's variables, the emulator's address and the function's own variables."""
    search_path = bundle.search_path(function.run_time or "")
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(bundle.task_root),
        "PYTHONPATH": os.pathsep.join(map(str, search_path)),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": "emulator",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": "function",
        "AWS_SECRET_ACCESS_KEY": "function",
        "AWS_SESSION_TOKEN": "function",
        "AWS_ENDPOINT_URL": emulator_url,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        **{name: str(value) for name, value in function.environment_vars.items()},
    }
