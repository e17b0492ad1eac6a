"""Where the plane's own door is, beside AWS's APIs; `control` says what it does."""

DOOR = "/_plane/"
EVENT = "event"
FAULTS = "faults"
