# SPDX-License-Identifier: MIT
"""Running `zctrace fuse`, file systems for it to watch, and its reports."""

import functools
import json
import os
import signal
import subprocess

import jsonschema

from mounts import MountTest, NeedsFuseTracepoints, mounts_at
from paths import PATIENCE_S, ZCTRACE
from report import whole_lines


@functools.cache
def fuse_schema():
    text = subprocess.run([ZCTRACE, "fuse", "--json-schema"], capture_output=True, text=True,
                          check=True, timeout=PATIENCE_S).stdout
    return jsonschema.Draft202012Validator(json.loads(text))


def operation(connection, name):
    found = [one for one in connection["operations"] if one["operation"] == name]
    return found[0] if found else {"sent": 0, "answered": 0, "withdrawn": 0, "errors": 0,
                                   "errors_by": {}, "bytes": 0, "in_flight": 0}


def of_process(connection, pid):
    (found,) = [one for one in connection["requesters"] if one["pid"] == pid]
    return found


class Watch:
    """A running `zctrace fuse`, and its report once it has ended."""

    def __init__(self, test, process, path):
        self.test = test
        self.process = process
        self.path = path

    def stop(self, signal_number=signal.SIGINT, status=0):
        if self.process.poll() is None and signal_number:
            self.process.send_signal(signal_number)
        self.stdout, self.stderr = self.process.communicate(timeout=PATIENCE_S)
        self.test.assertEqual(self.process.returncode, status, self.stderr)
        return self.reports()[-1] if self.path.read_text() else None

    def reports(self):
        text = self.path.read_text()
        try:
            reports = [json.loads(text)]
        except json.JSONDecodeError:
            reports = [json.loads(line) for line in whole_lines(self.path)]
        for report in reports:
            fuse_schema().validate(report)
        return reports


class FuseTest(NeedsFuseTracepoints, MountTest):
    def setUp(self):
        super().setUp()
        self.servers = []

    def watch(self, *options, prefix=()):
        path = self.directory / "fuse.json"
        process = self.start([*prefix, ZCTRACE, "fuse", "--json", path, *options],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(process.stderr, "press Ctrl-C to stop")
        return Watch(self, process, path)

    def slow_fuse(self, *options, point=None):
        """A file system that answers late; see tests/fixtures/programs/fuse/slow_fuse.c."""
        point = point or self.point
        point.mkdir(exist_ok=True)
        process = self.start([self.program("slow_fuse"), point, *options],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.servers.append(process)
        self.addCleanup(subprocess.run, ["umount", "-l", point], check=False,
                        stderr=subprocess.DEVNULL)
        self.wait_until(lambda: mounts_at(point), "the file system is mounted")
        # The first request of a mount must have been answered before others can be.
        os.stat(point / "slow")
        return process

    def reader(self, path, size=4096, count=1):
        """A process that reads, in one request each time, and prints its PID first."""
        code = ("import os, sys\n"
                "file = os.open(sys.argv[1], os.O_RDONLY)\n"
                "print('open', flush=True)\n"
                "for i in range(int(sys.argv[3])): os.pread(file, int(sys.argv[2]), 0)\n")
        process = self.start(["python3", "-c", code, path, size, count],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        # A process that waits for an answer ends when the server does, so that must end first.
        for server in self.servers:
            self.addCleanup(server.kill)
        self.wait_for_line(process.stdout, "open")
        return process

    def connection_at(self, report, point=None):
        point = str(point or self.point)
        (found,) = [one for one in report["connections"] if point in one["mount_points"]]
        return found

    def assert_complete(self, report):
        self.assertEqual(report["completeness"]["lost_requests"], 0)
        self.assertEqual(report["completeness"]["untimed_requests"], 0)
        self.assertEqual(report["completeness"]["unnamed_requests"], 0)
