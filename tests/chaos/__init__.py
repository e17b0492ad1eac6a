"""Weather on a real Swarm: students come and go while faults strike, and then all is accounted for.

tests/unit/test_histories.py is the same in virtual time, over twins.
"""
