# SPDX-License-Identifier: MIT
"""How each configuration of nginx moves a response; every byte a client received is counted."""

import collections
import subprocess

from harness import in_both_modes
from paths import PATIENCE_S, tool
from servers import BIG, MIB, Attached, NginxTest, fetch_tls, rows_to


class NginxMethods(NginxTest):
    """Each configuration moves a response by its own calls; every byte the client got is counted."""

    def observe_curl(self, mode, *options, scheme="http"):
        """Returns the report, and the bytes of the header and the request as curl counts them."""
        copy = self.directory / "copy"
        attached = Attached(self, "-p", self.master.pid, *mode)
        done = subprocess.run([tool("curl"), "-sSf", "--noproxy", "*", *options, "-o", copy, "-w",
                               "%{size_header} %{size_download} %{size_request}",
                               f"{scheme}://127.0.0.1:{self.port}/big"],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait_for_requests(1)
        report = attached.detach()
        self.assert_body("big", copy.read_bytes())
        header, body, request = map(int, done.stdout.split())
        self.assertEqual(body, BIG)
        self.assertEqual({process["pid"] for process in report.processes},
                         {self.master.pid, *self.workers()})
        return report, header, request

    def assert_copied(self, report, expected):
        """How many bytes a CPU copied in these syscalls: syscall -> bytes."""
        found = {row["syscall"]: row["cpu_copied_bytes"] for row in report.totals["rows"]}
        self.assertEqual({name: found.get(name) for name in expected}, expected)

    def assert_sent(self, report, expected):
        """Exactly these syscalls sent bytes to sockets: syscall -> bytes."""
        found = {name: moved for name, (_, moved) in rows_to("socket", report).items()}
        self.assertEqual(found, expected)

    @in_both_modes
    def test_sendfile_on(self, mode):
        self.start_nginx("sendfile on;")
        report, header, request = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        self.assertEqual(report.bytes("sendfile", "file", "socket"), BIG)
        self.assert_copied(report, {"writev": header, "sendfile": 0, "recvfrom": request})
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), request)
        sent = rows_to("socket", report)
        self.assertEqual(sent["writev"][0], 1)
        self.assertGreaterEqual(sent["sendfile"][0], BIG // (2 * MIB))
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)
        self.assertNotIn("pread64", report.calls())

    @in_both_modes
    def test_sendfile_off(self, mode):
        self.start_nginx("sendfile off;")
        report, header, request = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header + BIG})
        self.assert_copied(report, {"pread64": BIG, "writev": header + BIG, "recvfrom": request})
        self.assertEqual(report.data_rows()["pread64", "file", "user"],
                         {"calls": BIG // 32768, "errors": 0, "restarts": 0, "bytes": BIG})
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), request)
        self.assertEqual(report.totals["zero_copy_share"], 0)
        self.assertNotIn("sendfile", report.calls())

    @in_both_modes
    def test_sendfile_max_chunk(self, mode):
        self.start_nginx("sendfile on; sendfile_max_chunk 256k;")
        report, header, _ = self.observe_curl(mode)
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        self.assertGreaterEqual(rows_to("socket", report)["sendfile"][0], BIG // (256 << 10))
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)

    @in_both_modes
    def test_tls_copies_in_spite_of_sendfile_on(self, mode):
        self.start_nginx(f"sendfile on; {self.certificate()}", listen="ssl")
        attached = Attached(self, "-p", self.master.pid, *mode)
        transfer = fetch_tls(self.port, "big")
        report = attached.detach()
        self.assert_body("big", transfer.body)
        self.assert_sent(report, {"write": transfer.received})
        self.assertEqual(report.data_rows()["pread64", "file", "user"],
                         {"calls": BIG // 32768, "errors": 0, "restarts": 0, "bytes": BIG})
        self.assertEqual(report.totals["zero_copy_share"], 0)
        self.assertNotIn("sendfile", report.calls())

    @in_both_modes
    def test_tls_by_curl(self, mode):
        self.start_nginx(f"sendfile on; {self.certificate()}", listen="ssl")
        report, header, _ = self.observe_curl(mode, "--insecure", scheme="https")
        sent = rows_to("socket", report)
        self.assertEqual(set(sent), {"write"})
        # A record holds at most 16 KiB and adds at least 22 bytes; the handshake adds a few KiB.
        self.assertGreater(sent["write"][1], header + BIG)
        self.assertLess(sent["write"][1], header + BIG + BIG // 16384 * 64 + 16384)

    @in_both_modes
    def test_aio_threads(self, mode):
        self.start_nginx("sendfile on; aio threads;", main="thread_pool default threads=4;")
        report, header, _ = self.observe_curl([*mode, "--by", "thread"])
        self.assert_sent(report, {"writev": header, "sendfile": BIG})
        sent = collections.Counter()
        for thread in report.processes:
            where = "worker" if thread["tid"] == thread["pid"] else "pool"
            for row in thread["rows"]:
                if row["to"] == "socket":
                    sent[where, row["syscall"]] += row["bytes"]
        self.assertEqual(sent, {("worker", "writev"): header, ("pool", "sendfile"): BIG})
        self.assertGreater(report.totals["zero_copy_share"], 0.9999)
