"""The command `labswarm` and everything that an operator runs on AWS."""
