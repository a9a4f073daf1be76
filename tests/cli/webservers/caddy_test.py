# SPDX-License-Identifier: MIT
"""What zctrace counts of caddy, compared with what clients receive."""

import os

from harness import in_both_modes
from paths import tool
from servers import BIG, Attached, ServerTest, bytes_to_sockets, fetch, free_port


class Caddy(ServerTest):
    """Go's net/http reads the first 512 bytes of a file to guess its type."""

    def setUp(self):
        super().setUp()
        self.port = free_port()
        errors = self.directory / "caddy.log"
        home = {"HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory / "data"),
                "XDG_CONFIG_HOME": str(self.directory / "config")}
        with open(errors, "wb") as stream:
            self.caddy = self.start([tool("caddy"), "file-server", "--root", self.root, "--listen",
                                     f"127.0.0.1:{self.port}"], env={**os.environ, **home},
                                    stdout=stream, stderr=stream)
        self.wait_for_server(self.port, self.caddy, errors)

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
