# SPDX-License-Identifier: MIT
"""retransmits: segments that TCP sent again, compared with what ss says of the socket."""

import subprocess
import sys

from channels.channel_case import ChannelCase
from networks import NETWORKS
from paths import PATIENCE_S, tool

# Two network namespaces. The other end's acknowledgements go nowhere for a while, so this end sends
# again until ss says that it did so three times. argv: where to write what ss says at the end.
LOSE = NETWORKS + """
def retransmitted():
    text = subprocess.run(["ss", "-tinH"], stdout=-1, text=True, check=True).stdout
    found = re.search(r"retrans:\\d+/(\\d+)", text)
    return int(found.group(1)) if found else 0
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
    ip("route", "add", "blackhole", "10.9.9.1/32")
    os.write(ready[1], b"x"); os.read(go[0], 1)
    ip("route", "del", "blackhole", "10.9.9.1/32")
    while peer.recv(1 << 16): pass
    os._exit(0)
os.read(ready[0], 1)
ip("link", "add", "left", "type", "veth", "peer", "name", "right", "netns", str(child))
ip("addr", "add", "10.9.9.1/24", "dev", "left"); ip("link", "set", "left", "up")
os.write(go[1], b"x"); os.read(ready[0], 1)
out = socket.create_connection(("10.9.9.2", 7), timeout=60)
out.setblocking(True)
os.read(ready[0], 1)
out.sendall(b"x" * 1009)
while retransmitted() < 3: pass
os.write(go[1], b"x")
def unacknowledged():
    left = bytearray(4)
    fcntl.ioctl(out, termios.TIOCOUTQ, left)
    return struct.unpack("i", left)[0]
while unacknowledged(): pass
open(sys.argv[1], "w").write(str(retransmitted()))
out.close(); os.waitpid(child, 0)
"""


class Retransmits(ChannelCase):
    def test_what_is_lost_on_the_way_is_counted_as_ss_counts_it(self):
        tool("ip"), tool("ss")
        may = subprocess.run(["unshare", "--net", "true"], check=False, timeout=PATIENCE_S)
        if may.returncode != 0:
            self.skipTest("may not make network namespaces")
        said = self.directory / "said"
        report = self.observe_by(
            "peer", [sys.executable, "-I", "-S", "-B", "-c", LOSE, said])
        sender = self.peer_of(report, "tcp", remote="10.9.9.2:7")
        receiver = self.peer_of(report, "tcp", local="10.9.9.2:7", remote=sender["local"])
        self.assertEqual(sender["retransmits"], int(said.read_text()))
        self.assertGreaterEqual(sender["retransmits"], 3)
        self.assertEqual(receiver["retransmits"], 0)
        ports = {port["role"]: port["retransmits"] for port in report["ports"]
                 if port["port"] == 7}
        self.assertEqual(ports, {"client": sender["retransmits"], "server": 0})
        self.assertEqual(report["other_peers"]["retransmits"], 0)
        self.assertRegex(report.table, rf"10\.9\.9\.2:7 .*\b{sender['retransmits']}\b")

    def test_only_tcp_has_them(self):
        report = self.observe_python(
            "import socket\na, b = socket.socketpair()\na.send(b'x' * 101)\nb.recv(101)\n"
            "r, w = os.pipe()\nos.write(w, b'x')\n", by="peer")
        self.assertEqual({peer["retransmits"] for peer in report["peers"]}, {None})
