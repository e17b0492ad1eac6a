"""Compares the sides of a cluster and removes orphans that no event announced."""
