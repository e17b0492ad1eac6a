"""The whole system on one machine: AWS plane, nodes, Chef Server, command line."""
