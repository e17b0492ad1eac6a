"""Paths of the emulator's control API; `control_api` serves them."""

CONTROL = "/_emulator/"
EVENT = "event"
FAULTS = "faults"
