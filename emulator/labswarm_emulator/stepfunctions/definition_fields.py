"""Which fields a state of each type has, in each query language.

https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html#amazon-states-language-common-fields
"""

JSONPATH, JSONATA = "JSONPath", "JSONata"
TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")

MACHINE = {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}
BRANCH = {"Comment", "StartAt", "States", "QueryLanguage"}
PROCESSOR = BRANCH | {"ProcessorConfig"}

_COMMON = {"Type", "Comment", "QueryLanguage"}
_TRANSITION = {"Next", "End"}
_IN_AND_OUT = {"InputPath", "OutputPath"}
_RESULT = {"ResultPath", "ResultSelector", "Parameters"}
_ERRORS = {"Retry", "Catch"}
_MAP = {"ItemProcessor", "Iterator", "ItemSelector", "MaxConcurrency"}

ABSENT = {
    "Credentials": "a role of its own for a task",
    "ItemReader": "a distributed map",
    "ItemBatcher": "a distributed map",
    "ResultWriter": "a distributed map",
    "Label": "a distributed map",
    "ToleratedFailureCount": "a distributed map",
    "ToleratedFailureCountPath": "a distributed map",
    "ToleratedFailurePercentage": "a distributed map",
    "ToleratedFailurePercentagePath": "a distributed map",
}
"""AWS's fields that the emulator lacks, and their purpose."""

_OF_TYPE = {
    JSONPATH: {
        "Task": _TRANSITION
        | _IN_AND_OUT
        | _RESULT
        | _ERRORS
        | {"Resource", "Assign", "TimeoutSeconds", "TimeoutSecondsPath"}
        | {"HeartbeatSeconds", "HeartbeatSecondsPath"},
        "Wait": _TRANSITION
        | _IN_AND_OUT
        | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign"},
        "Pass": _TRANSITION | _IN_AND_OUT | {"Result", "ResultPath", "Parameters", "Assign"},
        "Succeed": _IN_AND_OUT,
        "Fail": {"Error", "ErrorPath", "Cause", "CausePath"},
        "Choice": _IN_AND_OUT | {"Choices", "Default", "Assign"},
        "Parallel": _TRANSITION | _IN_AND_OUT | _RESULT | _ERRORS | {"Branches", "Assign"},
        "Map": _TRANSITION
        | _IN_AND_OUT
        | _RESULT
        | _ERRORS
        | _MAP
        | {"ItemsPath", "MaxConcurrencyPath", "Assign"},
    },
    JSONATA: {
        "Task": _TRANSITION
        | _ERRORS
        | {"Resource", "Arguments", "Assign", "Output", "TimeoutSeconds", "HeartbeatSeconds"},
        "Wait": _TRANSITION | {"Seconds", "Timestamp", "Assign", "Output"},
        "Pass": _TRANSITION | {"Assign", "Output"},
        "Succeed": {"Output"},
        "Fail": {"Error", "Cause"},
        "Choice": {"Choices", "Default", "Assign", "Output"},
        "Parallel": _TRANSITION | _ERRORS | {"Branches", "Arguments", "Assign", "Output"},
        "Map": _TRANSITION | _ERRORS | _MAP | {"Items", "Assign", "Output"},
    },
}

REQUIRED = {"Task": ["Resource"], "Choice": ["Choices"], "Parallel": ["Branches"]}

ONE_OF = {
    "Wait": ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    "Map": ("ItemProcessor", "Iterator"),
}
"""Exactly one of these."""

AT_MOST_ONE_OF = [
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("Parameters", "ItemSelector"),
]

PATHS = {
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "SecondsPath",
    "TimestampPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "MaxConcurrencyPath",
}
TEMPLATES = {"Parameters", "ResultSelector", "ItemSelector", "Assign"}


def of(kind: str, language: str) -> set[str]:
    """The fields that a state of this type may have."""
    return _COMMON | _OF_TYPE[language][kind]
