# SPDX-License-Identifier: MIT
"""Copies on the way into a network: lent memory, and devices that cannot gather."""

import os
import subprocess
import sys

from copies.lending import LEND_TO_OUT, LENDING, LENT
from harness import TestCase
from networks import NETWORKS
from paths import PATIENCE_S, tool

BYTES = 1 << 20
PYTHON = [sys.executable, "-I", "-S", "-B", "-c"]

# Two network namespaces with a pair of devices between them, and the socket `out` in one of them,
# of which the other takes all bytes and prints their number. argv[1] is "0" or "1", for scatter-gather.
TO_ANOTHER_NETWORK = NETWORKS + """
ready, go = os.pipe(), os.pipe()
new_network()
child = os.fork()
if not child:
    new_network()
    os.write(ready[1], b"x"); os.read(go[0], 1)
    ip("addr", "add", "10.9.9.2/24", "dev", "right"); ip("link", "set", "right", "up")
    listener = socket.create_server(("10.9.9.2", 7))
    os.write(ready[1], b"x")
    peer = listener.accept()[0]
    received = 0
    while got := len(peer.recv(1 << 16)): received += got
    os.write(1, str(received).encode())
    os._exit(0)
os.read(ready[0], 1)
ip("link", "add", "left", "type", "veth", "peer", "name", "right", "netns", str(child))
ip("addr", "add", "10.9.9.1/24", "dev", "left"); ip("link", "set", "left", "up")
set_scatter_gather(b"left", int(sys.argv[1]))
os.write(go[1], b"x"); os.read(ready[0], 1)
out = socket.create_connection(("10.9.9.2", 7), timeout=60)
out.setblocking(True)
"""

# argv[2]: the file
GATHER = TO_ANOTHER_NETWORK + """
source = os.open(sys.argv[2], os.O_RDONLY)
size = os.fstat(source).st_size
while size: size -= os.sendfile(out.fileno(), source, None, size)
out.close(); os.waitpid(child, 0)
"""

LENT_TO_ANOTHER_NETWORK = TO_ANOTHER_NETWORK + LEND_TO_OUT + "os.waitpid(child, 0)\n"

# A socket `out` for datagrams through a device, which nothing receives: the other end is down. To
# receive them, some kernels would copy what was lent. argv[1] as above.
TO_NOTHING = NETWORKS + """
new_network()
ip("link", "add", "left", "type", "veth", "peer", "name", "right")
ip("addr", "add", "10.9.9.1/24", "dev", "left")
ip("link", "set", "left", "up")
ip("neigh", "add", "10.9.9.2", "lladdr", "02:00:00:00:00:02", "dev", "left")
set_scatter_gather(b"left", int(sys.argv[1]))
out = socket.socket(type=socket.SOCK_DGRAM)
out.connect(("10.9.9.2", 7))
"""

# argv[2]: the file
GATHER_DATAGRAMS = TO_NOTHING + """
source = os.open(sys.argv[2], os.O_RDONLY)
for _ in range(16): os.sendfile(out.fileno(), source, 0, 1000)
"""

LENT_TO_NOTHING = TO_NOTHING + LENDING + """
out.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
finish(out, lend(out, memoryview(bytearray(1000)), 16))
"""


class Network(TestCase):
    """Programs that make networks of their own."""

    def setUp(self):
        super().setUp()
        tool("ip")
        may = subprocess.run(["unshare", "--net", "true"], check=False, timeout=PATIENCE_S)
        if may.returncode != 0:
            self.skipTest("may not make network namespaces")


class Lent(Network):
    """MSG_ZEROCOPY: the notifications tell whether the kernel copied after all."""

    def row(self, report, size=BYTES):
        (row,) = [row for process in report.processes for row in process["rows"]
                  if row["syscall"] == "sendto" and row["protocol"] in ("tcp", "udp")]
        self.assertEqual(row["bytes"], size)
        return row

    def assert_copied_after_all(self, row, over_loopback):
        self.assertEqual((row["verdict"], row["protocol"]), ("zerocopy_copied", "tcp"))
        self.assertEqual((row["cpu_copied_bytes"], row["cpu_copied_measured_bytes"]),
                         (BYTES, BYTES))
        self.assertEqual(row.get("over_loopback", False), over_loopback)

    def test_over_loopback_it_is_copied_and_the_notifications_vouch_for_it(self):
        report = self.observe(*PYTHON, LENT, "asked").report
        self.assert_copied_after_all(self.row(report), True)
        self.assertEqual(report.totals["zero_copy_share"], 0)

    def test_into_another_network_of_this_machine_it_is_copied_too(self):
        observed = self.observe(*PYTHON, LENT_TO_ANOTHER_NETWORK, "1", "asked")
        report = observed.report
        self.assertEqual(int(observed.stdout), BYTES)
        self.assert_copied_after_all(self.row(report), False)
        self.assertEqual(report.totals["zero_copy_share"], 0)

    def test_only_of_the_loopback_does_the_table_say_so(self):
        wide = os.environ | {"COLUMNS": "250"}
        done = self.zctrace("run", "--", *PYTHON, LENT, "asked", env=wide)
        self.assertIn("copied after all: loopback", done.stderr)
        done = self.zctrace("run", "--", *PYTHON, LENT_TO_ANOTHER_NETWORK, "1", "asked", env=wide)
        self.assertIn("copied after all", done.stderr)
        self.assertNotIn("loopback", done.stderr)

    def test_a_device_that_takes_the_pages_copies_nothing(self):
        report = self.observe(*PYTHON, LENT_TO_NOTHING, "1").report
        row = self.row(report, 16000)
        self.assertEqual((row["verdict"], row["protocol"], row["cpu_copied_bytes"]),
                         ("zerocopy", "udp", 0))
        self.assertEqual((row["uncopied_measured_bytes"], row["copies_evidence"]),
                         (16000, "measured"))
        self.assertEqual(report.totals["kernel_only_share"], 0)
        (sender,) = [process for process in report.processes if row in process["rows"]]
        self.assertGreaterEqual(sender["zero_copy_at_most_bytes"], 16000)

    def test_notifications_count_whoever_reads_them(self):
        for reader in ("thread", "process"):
            with self.subTest(reader):
                report = self.observe(*PYTHON, LENT, "asked", reader).report
                self.assert_copied_after_all(self.row(report), True)

    def test_without_the_socket_option_the_flag_means_nothing(self):
        row = self.row(self.observe(*PYTHON, LENT, "unasked").report)
        self.assertIsNone(row["verdict"])
        self.assertEqual((row["cpu_copied_bytes"], row["cpu_copied_measured_bytes"]), (BYTES, 0))


class Gather(Network):
    """sendfile copies where the device cannot send from several places in memory."""

    def sent(self, gathers, script=GATHER, size=BYTES):
        source = self.directory / "source"
        source.write_bytes(os.urandom(BYTES))
        observed = self.observe(*PYTHON, script, gathers, source)
        if script == GATHER:
            self.assertEqual(int(observed.stdout), size)
        (row,) = [row for row in observed.report.totals["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual(row["bytes"], size)
        self.assertEqual(observed.report.totals["kernel_only_bytes"], size)
        self.assertEqual(observed.report.totals["zero_copy_bytes"], size - row["cpu_copied_bytes"])
        return row

    def test_datagrams_with_scatter_gather(self):
        row = self.sent(1, GATHER_DATAGRAMS, 16000)
        self.assertEqual((row["verdict"], row["protocol"], row["cpu_copied_bytes"]),
                         ("by_reference", "udp", 0))

    def test_datagrams_without_scatter_gather(self):
        row = self.sent(0, GATHER_DATAGRAMS, 16000)
        self.assertEqual((row["verdict"], row["cpu_copied_bytes"]), ("no_gather", 16000))

    def test_with_scatter_gather_nothing_is_copied(self):
        row = self.sent(1)
        self.assertEqual((row["verdict"], row["cpu_copied_bytes"]), ("by_reference", 0))

    def test_without_scatter_gather_every_byte_is_copied(self):
        row = self.sent(0)
        self.assertEqual((row["verdict"], row["cpu_copied_bytes"]), ("no_gather", BYTES))
