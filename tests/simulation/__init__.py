"""The whole app over twins, in virtual time: its own machines, functions and node tools.

A day of a cluster passes in a second, and the same seed gives the same day. The twins of AWS here
are compared with the emulator by tests/emulator/test_simulation_machines.py.
"""
