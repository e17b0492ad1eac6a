"""Whether a cluster is ready for its next labs: the doctor's checks, and those of a booked lab."""
