# SPDX-License-Identifier: MIT
"""What zctrace counts of caddy, compared with what clients receive."""

from harness import in_both_modes
from servers import BIG, Attached, CaddyTest, bytes_to_sockets, fetch


class Caddy(CaddyTest):
    """Go's net/http reads the first 512 bytes of a file to guess its type."""

    def setUp(self):
        super().setUp()
        self.start_caddy()

    def observe_fetch(self, name, mode):
        attached = Attached(self, "-p", self.caddy.pid, *mode)
        transfer = fetch(self.port, name)
        report = attached.detach()
        self.assert_body(name, transfer.body)
        self.assertEqual(bytes_to_sockets(report, self.caddy.pid), transfer.received)
        self.assertEqual(report.bytes("read", "socket", "user"), transfer.sent)
        return report

    @in_both_modes
    def test_file_of_512_bytes_uses_no_sendfile(self, mode):
        report = self.observe_fetch("512", mode)
        self.assertNotIn("sendfile", report.calls())
        self.assertEqual(report.totals["zero_copy_share"], 0)

    @in_both_modes
    def test_file_of_513_bytes_uses_one_sendfile_of_one_byte(self, mode):
        report = self.observe_fetch("513", mode)
        self.assertEqual(report.data_rows()["sendfile", "file", "socket"],
                         {"calls": 1, "errors": 0, "restarts": 0, "bytes": 1})

    @in_both_modes
    def test_file_of_10_mib_is_sent_without_copies(self, mode):
        report = self.observe_fetch("big", mode)
        self.assertEqual(report.bytes("sendfile", "file", "socket"), BIG - 512)
        self.assertGreater(report.totals["zero_copy_share"], 0.99)
