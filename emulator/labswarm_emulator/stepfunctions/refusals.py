"""How the API refuses: moto raises some of these as errors without a code, which answer 500."""

from moto.core.exceptions import AWSError


def refused(code: str, message: str) -> AWSError:
    """The error `code`, as HTTP 400."""
    return AWSError(message, exception_type=code, status=400)


def invalid(name: str, value: object, constraint: str) -> AWSError:
    """A parameter outside what the API's model allows."""
    return refused(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must {constraint}",
    )
