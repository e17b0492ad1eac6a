"""SSM commands to nodes and hubs, each sent once."""
