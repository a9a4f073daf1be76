# SPDX-License-Identifier: MIT
"""Sockets that encrypt, and what io_uring sends by reference."""

import json
import os

from harness import TestCase


class Sockets(TestCase):
    """Fixtures that know how many bytes they sent."""

    def send(self, fixture, *arguments):
        """The fixture's numbers, and the report."""
        observed = self.observe(self.program(fixture), *arguments)
        known = json.loads(observed.stdout)
        if "skip" in known:
            self.skipTest(known["skip"])
        return known, observed.report

    def source(self):
        path = self.directory / "source"
        path.write_bytes(os.urandom(200_000))
        return path

    def only_row(self, report, syscall, sink="socket"):
        (row,) = [row for row in report.totals["rows"]
                  if (row["syscall"], row["to"]) == (syscall, sink)]
        return row


class Encrypted(Sockets):
    """kTLS and AF_ALG."""

    def test_ktls_in_software_encrypts_with_a_cpu(self):
        known, report = self.send("ktls", self.source())
        sent = self.only_row(report, "sendfile")
        self.assertEqual((sent["bytes"], sent["cpu_copied_bytes"]), 2 * (known["sendfile_bytes"],))
        self.assertEqual((sent["protocol"], sent["verdict"]), ("tls", "tls_software"))
        written = self.only_row(report, "write")
        self.assertEqual((written["bytes"], written["cpu_copied_bytes"]),
                         2 * (known["write_bytes"],))
        self.assertEqual(written["protocol"], "tls")
        self.assertEqual(report.totals["zero_copy_share"], 0)
        self.assertEqual(report.totals["kernel_only_bytes"], known["sendfile_bytes"])

    def test_splice_into_af_alg_passes_references(self):
        known, report = self.send("alg", self.source())
        spliced = self.only_row(report, "splice")
        self.assertEqual((spliced["bytes"], spliced["cpu_copied_bytes"]), (known["bytes"], 0))
        self.assertEqual((spliced["protocol"], spliced["verdict"]), ("alg", "by_reference"))


class SendZc(Sockets):
    """io_uring's SEND_ZC: the kernel tells whether it copied, where it is asked to."""

    def sent(self, how):
        known, report = self.send("send_zc", how)
        row = self.only_row(report, "io_uring:send_zc")
        self.assertEqual((row["bytes"], row["cpu_copied_bytes"]), 2 * (known["bytes"],))
        self.assertEqual(report.totals["zero_copy_share"], 0)
        return row

    def test_notifications_vouch_for_the_copies_over_loopback(self):
        row = self.sent("reported")
        self.assertEqual((row["verdict"], row["cpu_copied_measured_bytes"]),
                         ("zerocopy_copied", row["bytes"]))

    def test_notifications_that_do_not_tell_leave_the_rule(self):
        row = self.sent("silent")
        self.assertEqual((row["verdict"], row["cpu_copied_measured_bytes"]), (None, 0))
