# SPDX-License-Identifier: MIT
"""Copies on the way into a network: lent memory, and devices that cannot gather."""

import os
import subprocess
import sys

from copies.lending import LENT
from harness import TestCase
from networks import NETWORKS
from paths import PATIENCE_S, tool

BYTES = 1 << 20
PYTHON = [sys.executable, "-I", "-S", "-B", "-c"]

# Two network namespaces with a pair of devices between them; argv: the file, 0 or 1 for
# scatter-gather.
GATHER = NETWORKS + """
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
    while peer.recv(1 << 16): pass
    os._exit(0)
os.read(ready[0], 1)
ip("link", "add", "left", "type", "veth", "peer", "name", "right", "netns", str(child))
ip("addr", "add", "10.9.9.1/24", "dev", "left"); ip("link", "set", "left", "up")
set_scatter_gather(b"left", int(sys.argv[2]))
os.write(go[1], b"x"); os.read(ready[0], 1)
out = socket.create_connection(("10.9.9.2", 7), timeout=60)
out.setblocking(True)
source = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(source).st_size
while size: size -= os.sendfile(out.fileno(), source, None, size)
out.close(); os.waitpid(child, 0)
"""


# The same with datagrams, which nothing receives.
GATHER_DATAGRAMS = NETWORKS + """
new_network()
ip("link", "add", "left", "type", "veth", "peer", "name", "right")
ip("addr", "add", "10.9.9.1/24", "dev", "left")
ip("link", "set", "left", "up"); ip("link", "set", "right", "up")
ip("neigh", "add", "10.9.9.2", "lladdr", "02:00:00:00:00:02", "dev", "left")
set_scatter_gather(b"left", int(sys.argv[2]))
out = socket.socket(type=socket.SOCK_DGRAM)
out.connect(("10.9.9.2", 7))
source = os.open(sys.argv[1], os.O_RDONLY)
for _ in range(16): os.sendfile(out.fileno(), source, 0, 1000)
"""


class Lent(TestCase):
    """MSG_ZEROCOPY: the notifications tell whether the kernel copied after all."""

    def row(self, report):
        (row,) = [row for row in report.totals["rows"]
                  if row["syscall"] == "sendto" and row["to"] == "socket"]
        self.assertEqual(row["bytes"], BYTES)
        return row

    def test_over_loopback_it_is_copied_and_the_notifications_vouch_for_it(self):
        report = self.observe(*PYTHON, LENT, "asked").report
        row = self.row(report)
        self.assertEqual((row["verdict"], row["protocol"]), ("zerocopy_copied", "tcp"))
        self.assertEqual((row["cpu_copied_bytes"], row["cpu_copied_measured_bytes"]),
                         (BYTES, BYTES))
        self.assertEqual(report.totals["zero_copy_share"], 0)

    def test_without_the_socket_option_the_flag_means_nothing(self):
        row = self.row(self.observe(*PYTHON, LENT, "unasked").report)
        self.assertIsNone(row["verdict"])
        self.assertEqual((row["cpu_copied_bytes"], row["cpu_copied_measured_bytes"]), (BYTES, 0))


class Gather(TestCase):
    """sendfile copies where the device cannot send from several places in memory."""

    def sent(self, gathers, script=GATHER, size=BYTES):
        tool("ip")
        source = self.directory / "source"
        source.write_bytes(os.urandom(BYTES))
        may = subprocess.run(["unshare", "--net", "true"], check=False, timeout=PATIENCE_S)
        if may.returncode != 0:
            self.skipTest("may not make network namespaces")
        report = self.observe(*PYTHON, script, source, gathers).report
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual(row["bytes"], size)
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
