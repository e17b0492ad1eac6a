"""What runs beside JupyterHub: its configuration and its spawner."""
