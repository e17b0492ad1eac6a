"""Compares the sides of a cluster and removes orphans: what no event said."""
