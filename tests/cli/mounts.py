# SPDX-License-Identifier: MIT
"""Mounts of a directory, and their reports."""

import errno
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import struct
import subprocess
import sys
import unittest

from harness import TestCase, doctor
from paths import NOBODY, PATIENCE_S, ROOT, ZCTRACE
from report import Report, whole_lines

# In $CHECKED_DIRECTORY; -f stops at the first failure.
CHECKS = [sys.executable, "-B", "-m", "unittest", "discover", "-s", ROOT / "tests" / "posix",
          "-p", "*_checks.py"]
MEBIBYTE = 1 << 20
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
READ_BY_MMAP = ("import mmap, sys\nwith open(sys.argv[1], 'rb') as file:\n"
                "    mapping = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, "
                "prot=mmap.PROT_READ)\n"
                "print(sum(mapping[at] for at in range(0, len(mapping), 4096)))\n")


def why_no_fuse():
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None if shutil.which("fusermount3") else "fusermount3 is not installed"


def passes_through():
    """Whether this kernel can: /dev/fuse knows the call, and refuses it without a connection."""
    open_backing_file = 0x4010e501  # FUSE_DEV_IOC_BACKING_OPEN
    try:
        with open("/dev/fuse", "rb+", buffering=0) as device:
            fcntl.ioctl(device, open_backing_file, struct.pack("iIQ", -1, 0, 0))
    except OSError as error:
        return error.errno != errno.ENOTTY
    return True


def digest(data):
    return hashlib.sha256(data).hexdigest()


def mounts_at(path, pid="self"):
    text = pathlib.Path(f"/proc/{pid}/mounts").read_text()
    return [line for line in text.splitlines() if line.split()[1] == str(path)]


class Mounted:
    """A running mount, and its report once it has ended."""

    def __init__(self, test, process, report_path):
        self.test = test
        self.process = process
        self.pid = process.pid
        self.report_path = report_path
        self.report = None

    def end(self, signal_number=signal.SIGINT, status=0):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        self.stdout, self.stderr = self.process.communicate(timeout=PATIENCE_S)
        self.test.assertEqual(self.process.returncode, status, self.stderr)

    def stop(self, *how, **expected):
        self.end(*how, **expected)
        self.report = Report(self.report_path.read_text())
        return self.report


class NeedsFuseTracepoints:
    """For a TestCase: skips it where the kernel does not have them."""

    needs_bpf = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "fuse_request_send and" not in doctor().stdout:
            raise unittest.SkipTest("this kernel has no FUSE tracepoints")


class MountTest(TestCase):
    needs_bpf = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_no_fuse()
        if reason:
            raise unittest.SkipTest(reason)

    def setUp(self):
        super().setUp()
        self.source = self.directory / "source"
        self.point = self.directory / "point"
        for directory in (self.source, self.point):
            directory.mkdir()
            directory.chmod(0o777)

    def mount(self, *options, prefix=(), source=None):
        report = self.directory / "report" / "mount.json"
        report.parent.mkdir(exist_ok=True)
        report.parent.chmod(0o777)
        process = self.start([*prefix, ZCTRACE, "mount", source or self.source, self.point,
                              "--json", report, *options],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.unmount)
        line = process.stderr.readline()
        self.assertIn("is mounted at", line, line)
        return Mounted(self, process, report)

    def check_posix(self, options, prefix=(), enter=()):
        mounted = self.mount(*options, prefix=prefix)
        environment = {**os.environ, "CHECKED_DIRECTORY": str(self.point)}
        if "none" in options:
            environment["DIRECT_IO"] = "1"
        if "--passthrough" in options:
            environment["PASSTHROUGH"] = "1"
        command = [*[word.format(pid=mounted.pid) for word in enter], *CHECKS, "-f"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return mounted.stop()

    def unmount(self):
        if mounts_at(self.point):
            subprocess.run(["fusermount3", "-uz", self.point], check=False)

    def device_for_everybody(self):
        """Makes a FUSE device with the mode it has on most machines, to be mounted over /dev/fuse,
        and gives the mount point to NOBODY. Returns its path."""
        device = self.directory / "fuse"
        os.mknod(device, 0o666 | stat.S_IFCHR, os.stat("/dev/fuse").st_rdev)
        os.chmod(device, 0o666)
        os.chown(self.point, NOBODY, NOBODY)
        return device

    def private_device(self):
        """A prefix for a command: only it sees a FUSE device that every user may open."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f"mount --bind {self.device_for_everybody()} /dev/fuse && exec \"$@\"", "sh"]

    def as_an_ordinary_user(self):
        """A prefix for a command, and the process that holds the namespace of its mounts."""
        # The shell keeps the mount's namespace for the test to look at.
        holder = self.start(["unshare", "--mount", "--propagation", "private", "sh", "-c",
                             f"mount --bind {self.device_for_everybody()} /dev/fuse;"
                             " mount -t fusectl none /sys/fs/fuse/connections;"
                             " echo ready; exec cat"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.wait_for_line(holder.stdout, "ready")
        return ["nsenter", "-t", holder.pid, "-m", *AS_NOBODY], holder

    def file(self, name="file", size=MEBIBYTE + 7):
        data = hashlib.shake_128(name.encode()).digest(size)
        (self.source / name).write_bytes(data)
        return data

    @staticmethod
    def run_python(code, *arguments):
        subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True,
                       timeout=PATIENCE_S)

    def file_of(self, report, path):
        (found,) = [file for file in report["files"] if file["path"] == path]
        return found

    def sum_of(self, report, operation, field="count"):
        return sum(file["operations"].get(operation, {field: 0})[field]
                   for file in report["files"])

    def sum_over_intervals(self, mounted, operation):
        """The sum over the intervals written so far."""
        return sum(self.sum_of(json.loads(line), operation)
                   for line in whole_lines(mounted.report_path))

    def wait_until_counted(self, mounted, **operations):
        """The kernel sends a release some time after the close, and none after the unmount."""
        self.wait_until(lambda: all(self.sum_over_intervals(mounted, name) == count
                                    for name, count in operations.items()), f"{operations}")
