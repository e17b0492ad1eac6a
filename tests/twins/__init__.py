"""In-memory twins of the adapters; each passes the contract suite of its original."""
