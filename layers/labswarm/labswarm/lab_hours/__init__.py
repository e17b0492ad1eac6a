"""How many nodes a cluster gets, minute by minute."""
