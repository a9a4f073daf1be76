# SPDX-License-Identifier: MIT
"""COPY of PostgreSQL: a server that has no call without a copy. A private cluster, which belongs to an
ordinary user and listens only on a Unix socket in its own directory."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import TestCase
from paths import NOBODY, PATIENCE_S, tool
from servers import Attached

LINES = 20000
LINE_BYTES = 401
BYTES = LINES * LINE_BYTES
# Of each line that COPY sends: its type and length (protocol 3.0, CopyData).
FRAME_BYTES = 5


def server_program(name):
    """Debian has one directory for each version, others have the programs in PATH."""
    for directory in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / name).exists():
            return directory / name
    found = shutil.which(name)
    if not found:
        raise unittest.SkipTest("PostgreSQL's server is not installed")
    return found


class PostgresqlCopy(TestCase):
    """Each byte of a COPY is copied into the server and out of it."""

    def setUp(self):
        super().setUp()
        initdb, postgres = server_program("initdb"), server_program("postgres")
        self.psql = tool("psql")
        # The server refuses root, and the path of its socket must be short.
        self.as_owner = ([tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}",
                          "--clear-groups"] if os.geteuid() == 0 else [])
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.home)
        if self.as_owner:
            os.chown(self.home, NOBODY, NOBODY)
        data = self.home / "data"
        self.run_as_owner(initdb, "-D", data, "-U", "tester", "--auth=trust", "--no-sync",
                          "--locale=C", "--encoding=SQL_ASCII")
        with open(self.directory / "server.log", "wb") as log:
            self.server = self.start([*self.as_owner, postgres, "-D", data, "-k", self.home,
                                      "-c", "listen_addresses=", "-c", "fsync=off",
                                      "-c", "autovacuum=off"], stdout=log, stderr=log,
                                     cwd=self.home)
        self.addCleanup(self.shut_down)
        self.wait_until(self.is_ready, "PostgreSQL takes connections")

    def run_as_owner(self, *words, **options):
        return subprocess.run([*self.as_owner, *map(str, words)], check=True, cwd=self.home,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S,
                              **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options)

    def sql(self, statement, **options):
        return self.run_as_owner(self.psql, "-X", "-q", "-h", self.home, "-U", "tester",
                                 "-d", "postgres", "-c", statement, **options)

    def is_ready(self):
        if self.server.poll() is not None:
            self.fail((self.directory / "server.log").read_text())
        try:
            return self.sql("SELECT 1")
        except subprocess.CalledProcessError:
            return None

    def shut_down(self):
        """At once, but with its children: killed, it would leave them for a moment."""
        if self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(PATIENCE_S)

    def test_copy_from_a_file_and_to_a_client(self):
        source = self.home / "source"
        source.write_text("".join(f"{os.urandom(LINE_BYTES // 2).hex()}\n" for _ in range(LINES)))
        source.chmod(0o644)
        self.sql("CREATE UNLOGGED TABLE lines (line text)")
        attached = Attached(self, "-p", self.server.pid)
        self.sql(f"COPY lines FROM '{source}'")
        out = self.directory / "out"
        with open(out, "wb") as stream:
            self.sql("COPY lines TO STDOUT", stdout=stream)
        report = attached.detach()
        self.assertEqual(out.stat().st_size, BYTES)
        self.assertTrue(out.read_bytes() == source.read_bytes(), "the lines differ")

        def row(syscall, source, sink):
            (found,) = [row for row in report.totals["rows"] if row["bytes"] and
                        (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]
            self.assertEqual(found["cpu_copied_bytes"], found["bytes"])
            return found

        # The rest are its own files, the queries, and what every connection begins with.
        read = row("read", "file", "user")
        self.assertTrue(BYTES <= read["bytes"] < BYTES + (1 << 20), read["bytes"])
        sent = row("sendto", "user", "socket")
        wire = BYTES + LINES * FRAME_BYTES
        self.assertTrue(wire <= sent["bytes"] < wire + (1 << 16), sent["bytes"])
        self.assertEqual(sent["protocol"], "unix")
        self.assertEqual((report.totals["zero_copy_bytes"], report.totals["kernel_only_bytes"]),
                         (0, 0))
