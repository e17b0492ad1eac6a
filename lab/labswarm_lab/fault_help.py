"""The help texts of `labswarm lab fault set`: a sentence for each kind and each of its settings."""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "events": "Lose, repeat, reorder or delay EventBridge's events.",
    "capacity": "Let EC2 have no instances of some types.",
    "termination": "Let EC2 fail to end some instances.",
    "functions": "Crash the worker of some functions.",
    "idle": "Make VPC functions Inactive, as after weeks without a call.",
    "concurrency": "Lower the account's limit of concurrent functions.",
    "denials": "Deny some AWS actions.",
    "throttling": "Throttle the next calls of some AWS actions.",
    "rates": "Throttle the calls of some AWS actions above a rate.",
    "quotas": "Set quotas that Service Quotas reports.",
    "agents": "Let SSM agents report another version.",
}

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "events": {
        "loss": "Lose this share of the deliveries, 0 to 1.",
        "duplicates": "Deliver this share twice, 0 to 1.",
        "reordered": "Hold this share back, so that later events overtake it, 0 to 1.",
        "held_s": "Hold a reordered event back for so many seconds.",
        "delay_s": "Delay every event by so many seconds.",
        "detail_types": "Affect only events of this detail-type.",
        "seed": "Repeat the random choices of this seed.",
    },
    "capacity": {
        "spot": "Refuse spot instances of this type; `*` for all.",
        "on_demand": "Refuse on-demand instances of this type; `*` for all.",
    },
    "termination": {"instances": "Keep this instance running; `*` for all."},
    "functions": {
        "crash": "Crash this function; `*` for all.",
        "when": "Crash `before` the handler gets the event or `after` it returns.",
        "times": "Crash so many invocations, of all these functions together.",
    },
    "idle": {
        "functions": "Make this function Inactive; `*` for all with a VPC.",
        "pending_s": "Keep a function Pending for so many seconds after its first call.",
    },
    "concurrency": {"account": "Run at most so many functions at once. New accounts have 10."},
    "denials": {"actions": "Deny this action, such as ssm:SendCommand or s3:*."},
    "throttling": {"calls": "Throttle so many calls of an action: ssm:SendCommand=3."},
    "rates": {"calls_per_s": "Answer so many calls of an action per second: ssm:SendCommand=10."},
    "quotas": {"values": "Report this value of a quota code: L-34B43A08=8."},
    "agents": {"version": "Report this version, such as 3.2.582.0."},
}
AGAIN = "Repeat the option for more."


def of_kind(kind: str) -> str:
    """Return the help of a kind."""
    return KINDS.get(kind, f"Set the faults of the kind {kind}.")


def of_setting(kind: str, name: str, *, several: bool, usual: object) -> str:
    """Return the help of a setting, which can be given several times, or has a default."""
    said = SETTINGS.get(kind, {}).get(name, f"Set {name}.")
    if several:
        return f"{said} {AGAIN}"
    return said if usual is None else f"{said} [default: {usual}]"
