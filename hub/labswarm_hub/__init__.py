"""JupyterHub's spawner, and the settings that it reads."""
