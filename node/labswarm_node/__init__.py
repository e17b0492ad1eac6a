"""The two tools that SSM documents call on instances: labswarm-node and labswarm-manager."""
