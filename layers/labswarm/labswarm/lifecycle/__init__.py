"""One instance's launch or termination: who works on it, until when, and how its hook ends."""
