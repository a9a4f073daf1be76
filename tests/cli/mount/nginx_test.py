# SPDX-License-Identifier: MIT
"""nginx serves files from an observed mount."""

import signal
import subprocess
import unittest

from mounts import why_no_fuse
from paths import PATIENCE_S, ZCTRACE, tool
from report import Report
from servers import BIG, Attached, NginxTest, rows_to


class NginxFromTheMount(NginxTest):
    """nginx, which zctrace attaches to, serves files from an observed mount."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = why_no_fuse()
        if reason:
            raise unittest.SkipTest(reason)

    def start_mount(self, *options):
        point = self.directory / "point"
        point.mkdir()
        self.report_path = self.directory / "mount.json"
        self.mount = self.start([ZCTRACE, "mount", "-q", "--observe", "--json",
                                 self.report_path, *options, self.root, point],
                                stderr=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, ["fusermount3", "-uqz", point], check=False)
        self.wait_for_line(self.mount.stderr, "is mounted at")
        self.root = point  # what nginx serves

    def end_mount(self):
        self.mount.send_signal(signal.SIGINT)
        _, errors = self.mount.communicate(timeout=PATIENCE_S)
        self.assertEqual(self.mount.returncode, 0, errors)
        report = Report(self.report_path.read_text())
        self.assertEqual(report["completeness"]["lost_events"], 0, report["completeness"])
        return report

    def fetch_by_curl(self, times):
        """(bytes of headers, bytes of bodies) as curl counts them."""
        copy = self.directory / "copy"
        headers, bodies = 0, 0
        for _ in range(times):
            done = subprocess.run([tool("curl"), "-sSf", "--noproxy", "*", "-o", copy,
                                   "-w", "%{size_header} %{size_download}",
                                   f"http://127.0.0.1:{self.port}/big"], capture_output=True,
                                  text=True, timeout=PATIENCE_S, check=True)
            self.assert_body("big", copy.read_bytes())
            header, body = map(int, done.stdout.split())
            headers += header
            bodies += body
        self.wait_for_requests(times)
        return headers, bodies

    def serve(self, directives, times=3):
        self.start_mount()
        self.start_nginx(directives)
        attached = Attached(self, "-p", self.master.pid)
        headers, bodies = self.fetch_by_curl(times)
        self.assertEqual(bodies, times * BIG)
        report = attached.detach()
        self.assert_log_agrees(report, self.requests())
        self.quit_nginx()
        return report, self.end_mount(), headers, bodies

    def fuse_rows(self, report):
        return {key: (row["calls"], row["bytes"]) for key, row in report.data_rows().items()
                if "fuse" in key}

    def test_sendfile_on(self):
        report, mounted, headers, bodies = self.serve("sendfile on;")
        self.assertEqual(rows_to("socket", report)["writev"][1], headers)
        self.assertEqual(report.bytes("sendfile", "fuse", "socket"), bodies)
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)
        # The mount saw exactly the same calls of nginx.
        side = mounted["amplification"]["applications"]
        self.assertEqual({(row["syscall"], row["from"], row["to"]): (row["calls"], row["bytes"])
                          for row in side["rows"]}, self.fuse_rows(report))
        self.assertEqual(side["copied_bytes"], 0)
        self.assertEqual(side["in_kernel_bytes"], bodies)
        self.assert_served(mounted, bodies)

    def test_sendfile_off(self):
        report, mounted, headers, bodies = self.serve("sendfile off;")
        self.assertEqual(rows_to("socket", report)["writev"][1], headers + bodies)
        self.assertEqual(self.fuse_rows(report),
                         {("pread64", "fuse", "user"): (bodies // 32768, bodies)})
        side = mounted["amplification"]["applications"]
        self.assertEqual((side["calls"], side["copied_bytes"], side["in_kernel_bytes"]),
                         (bodies // 32768, bodies, 0))
        self.assert_served(mounted, bodies)

    def assert_served(self, mounted, bodies):
        """nginx opens the file for each request of a client, and then reads all of it again."""
        (file,) = [file for file in mounted["files"] if file["path"] == "big"]
        self.assertEqual(file["bytes_read"], bodies)
        workers = [process for process in mounted.processes if process["name"] == "nginx"]
        self.assertEqual(sum(process["fuse"]["bytes_read"] for process in workers), bodies)
