# SPDX-License-Identifier: MIT
"""`zctrace mount --observe` of a file that is read in blocks."""

import subprocess

from mounts import MountTest

BLOCK = 65536
BLOCKS = 64
DATA_CALLS = ("read", "pread64", "writev", "splice")


def rows_of(side):
    """(syscall, from, to) -> (calls that did not fail, bytes)"""
    return {(row["syscall"], row["from"], row["to"]):
            (row["calls"] - row["errors"] - row["restarts"], row["bytes"])
            for row in side["rows"] if row["copy"] != "none"}


class ObserveTest(MountTest):
    needs_bpf = True

    def observe_mount(self, *options, **keywords):
        return self.mount("--observe", *options, **keywords)

    def read_blocks(self, point=None, count=BLOCKS):
        """Reads `count` blocks, and nothing more."""
        subprocess.run(["dd", f"if={point or self.point}/file", "of=/dev/null", f"bs={BLOCK}",
                        f"count={count}"], check=True, stderr=subprocess.DEVNULL)

    def stop(self, mounted):
        report = mounted.stop()
        self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        return report

    def assert_applications_read(self, report, calls, moved):
        side = report["amplification"]["applications"]
        self.assertEqual(rows_of(side), {("read", "fuse", "user"): (calls, moved)})
        self.assertEqual((side["calls"], side["copied_bytes"]), (calls, moved))
