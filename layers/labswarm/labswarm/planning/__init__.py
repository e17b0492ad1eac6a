"""A day of a cluster in virtual time: whether its labs fit, from when, and at which cost.

`plan` runs the very lab hours of the app (labswarm.lab_hours.decide) on a simulated cluster. Pure:
the same values and the same seed give the same answer.
"""
