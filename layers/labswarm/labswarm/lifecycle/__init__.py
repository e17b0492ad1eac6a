"""One instance's launch or termination: its owner, its deadline, and the end of its hook."""
