"""The whole system on one machine: AWS emulator, nodes, Chef Server, command line."""
