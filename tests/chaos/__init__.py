"""Faults on a real Swarm while students come and go; then each server and file is accounted for.

tests/unit/test_histories.py is the same in virtual time, over twins.
"""
