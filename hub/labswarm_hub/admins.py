"""Take an admin's rights from users, before the hub starts.

JupyterHub gives rights to the users in `admin_users` and never takes them back: a user who was
removed from that list stays an admin in its database.
https://jupyterhub.readthedocs.io/en/stable/tutorial/getting-started/authenticators-users-basics.html
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path


def demote(database: Path, names: Iterable[str]) -> None:
    """Have these users be no admins; JupyterHub takes their role away when it starts.

    A database that is not there yet has no admins.
    """
    if not database.exists():
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'users'").fetchone()
        if known:
            connection.executemany(
                "UPDATE users SET admin = 0 WHERE name = ?", [(name,) for name in sorted(names)]
            )
