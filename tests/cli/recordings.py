# SPDX-License-Identifier: MIT
"""Recordings (`--record`), as other programs read them."""

import contextlib
import sqlite3


def query(path, sql):
    """The first row."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    with contextlib.closing(database):
        return database.execute(sql).fetchone()
