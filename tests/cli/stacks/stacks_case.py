# SPDX-License-Identifier: MIT
"""What the tests of --stacks need."""

import contextlib
import json
import os
import pathlib

import jsonschema

from harness import TestCase
from paths import PATIENCE_S, ROOT, ZCTRACE

SCHEMA = json.loads((ROOT / "schema" / "zctrace-stacks-1.schema.json").read_text())
MIB = 1 << 20
CHAIN = ["main", "copy_all", "copy_some"]


def folded(path):
    """[(frames, bytes)], the most bytes first."""
    lines = [line.rsplit(" ", 1) for line in pathlib.Path(path).read_text().splitlines()]
    return [(frames.split(";"), int(count)) for frames, count in lines]


class StacksTest(TestCase):
    def assert_in_order(self, frames, wanted):
        """Each of `wanted` calls the next one directly."""
        self.assertIn(wanted[0], frames)
        begin = frames.index(wanted[0])
        self.assertEqual(frames[begin:begin + len(wanted)], wanted, frames)

    def assert_chain(self, stacks, moved):
        """The stacks of stack_chain, which moved so many bytes in each direction."""
        for call, function, kinds in (("read", "take_bytes", "device to user"),
                                      ("write", "give_bytes", "user to device")):
            found = [(frames, count) for frames, count in stacks
                     if frames[-1] == f"{call} ({kinds})" and function in frames]
            self.assertTrue(found, stacks)
            for frames, _ in found:
                self.assert_in_order(frames, [*CHAIN, function])
            # Both calls together are sampled within a stretch a CPU; each is half of them.
            self.assertAlmostEqual(sum(count for _, count in found) / moved, 1, delta=0.25)

    def read_json(self, path):
        found = json.loads(pathlib.Path(path).read_text())
        jsonschema.validate(found, SCHEMA)
        return found

    def attach(self, path, *words, env=None):
        """`zctrace attach --stacks`, once it observes."""
        process = self.start([ZCTRACE, "attach", "--stacks", path, *words], stdout=-1, stderr=-1,
                             text=True, env=env)
        self.wait_for_line(process.stderr, "observing")
        return process

    @staticmethod
    def inodes_of_workers(attached):
        found = set()
        for worker in pathlib.Path(f"/proc/{attached.pid}/task/{attached.pid}/children").read_text().split():
            for descriptor in pathlib.Path(f"/proc/{worker}/fd").glob("*"):
                with contextlib.suppress(OSError):
                    found.add(descriptor.stat().st_ino)
        return found

    def detach(self, process):
        process.terminate()
        output = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, output)

    def end_chain(self, chain, attached=None):
        """Lets it move its bytes, and end once zctrace knows its program."""
        inode = os.stat(f"/proc/{chain.pid}/exe").st_ino
        chain.stdin.write("go\n")
        chain.stdin.flush()
        if attached:
            self.wait_until(lambda: inode in self.inodes_of_workers(attached), "its files are open")
        chain.stdin.close()
        self.assertEqual(chain.wait(PATIENCE_S), 0)

    def run_stacks(self, name, *command, every="256K", options=()):
        path = self.directory / name
        done = self.zctrace("run", "-q", *options, "--stacks", path, "--stacks-every", every, "--",
                            *command)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path
