"""One reading of AWS's service models for all tests of a process.

A mocked account begins with a new session, and a session reads the models of its services again:
that took half of the time of the handlers' tests.
"""

import functools

import botocore.session
from botocore.loaders import create_loader

botocore.session.create_loader = functools.cache(create_loader)
