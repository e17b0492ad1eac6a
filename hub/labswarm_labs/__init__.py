"""The hub's page for instructors, at /services/labs/: a JupyterHub service with its own process.

It keeps no state but the bookings, which are in the app's table.
"""
