"""Classes in virtual time, under the app's lab hours and under other ways to size a cluster.

`make bench-seats` runs them all and writes the table in docs/explanation/policies.md.
"""
