"""The hub's document: one YAML text per cluster with the settings that its admins change."""
