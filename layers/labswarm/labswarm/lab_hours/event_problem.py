"""A reason why an event of a timetable is left out."""


class EventProblem(Exception):
    """One event cannot be booked. The message is a sentence about the event, with the remedy; the
    event's name and date come before it."""
