# SPDX-License-Identifier: MIT
"""A mount that is interrupted while programs have its files open."""

import os
import select
import subprocess
import sys

from faults import Faults
from mounts import MountTest, mounts_at
from paths import ZCTRACE

# Reads a file in small pieces without a cache, one for each line of its standard input.
READER = """
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(len(os.read(file, 100_003)), flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


class MountFaults(MountTest, Faults):
    def assert_unmounted(self, process):
        self.wait_until(lambda: not mounts_at(self.point), "it is unmounted")
        self.wait_until(lambda: not list(self.session_of(process.pid)), "its helpers are gone")
        self.assertEqual(os.listdir(self.point), [])

    def begin_mount(self, *options, prefix=(), **streams):
        streams.setdefault("stdout", subprocess.DEVNULL)
        streams.setdefault("stderr", subprocess.DEVNULL)
        process = self.start([*prefix, ZCTRACE, "mount", self.source, self.point, *options],
                             start_new_session=True, **streams)
        self.addCleanup(self.unmount)
        return process

    def start_reader(self, path):
        reader = self.start([sys.executable, "-c", READER, path], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
        self.wait_for_line(reader.stdout, "ready")
        return reader

    @staticmethod
    def ask(reader):
        reader.stdin.write("\n")
        reader.stdin.flush()

    def answer(self, reader):
        """The number of bytes read, or the errno. A call that does not return is a failure."""
        self.wait_until(lambda: select.select([reader.stdout], [], [], 0)[0], "the call returns")
        return int(reader.stdout.readline())
