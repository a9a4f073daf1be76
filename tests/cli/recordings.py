# SPDX-License-Identifier: MIT
"""Recordings (`--record`), as other programs read them."""

import sqlite3


def query(path, sql):
    """The first row."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as database:
        return database.execute(sql).fetchone()
