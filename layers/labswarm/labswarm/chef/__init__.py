"""The Chef Server, as the control plane uses it."""
