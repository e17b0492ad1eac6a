"""Whether an account and a cluster are ready for their labs: facts, rules and the report.

`labswarm doctor` and `labswarm ready` print it, and the app checks before each booked lab.
"""
