# SPDX-License-Identifier: MIT
"""--by peer and --by port: which socket or pipe each byte went to and came from."""

import socket
import subprocess
import sys
import unittest

from channels.channel_case import ChannelCase
from harness import in_both_modes

CONNECTED = """
import socket
def connected(family, address):
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    client = socket.socket(family)
    client.connect(listener.getsockname()[:2] if family != socket.AF_UNIX else address)
    return client, listener.accept()[0]
def move(one, other, size):
    one.sendall(b"x" * size)
    while size:
        size -= len(other.recv(size))
"""


class Peers(ChannelCase):
    def observe(self, code, options=(), by="peer"):
        return self.observe_python(CONNECTED + code, options, by)

    def assert_pair(self, report, protocol, client, server, size):
        """Both ends are listed, each with the other's address."""
        one = self.peer_of(report, protocol, local=client, remote=server)
        other = self.peer_of(report, protocol, local=server, remote=client)
        self.assertEqual((one["sent_bytes"], one["received_bytes"]), (size, 0))
        self.assertEqual((other["sent_bytes"], other["received_bytes"]), (0, size))

    @in_both_modes
    def test_tcp(self, mode):
        report = self.observe(
            """
c, s = connected(socket.AF_INET, ("127.0.0.1", 0))
move(c, s, 10_007)
move(s, c, 101)
print(c.getsockname()[1], s.getsockname()[1])
""", [*mode])
        client = [peer for peer in report["peers"] if peer["sent_bytes"] == 10_007][0]
        server = self.peer_of(report, "tcp", local=client["remote"], remote=client["local"])
        self.assertEqual(client["received_bytes"], 101)
        self.assertEqual((server["sent_bytes"], server["received_bytes"]), (101, 10_007))
        self.assertRegex(client["local"], r"^127\.0\.0\.1:\d+$")
        ports = {(port["role"], port["sent_bytes"]) for port in report["ports"]}
        self.assertEqual(ports, {("client", 10_007), ("server", 101)})
        self.assertEqual({port["port"] for port in report["ports"]},
                         {int(client["remote"].split(":")[1])})

    def test_ipv6(self):
        report = self.observe(
            'c, s = connected(socket.AF_INET6, ("::1", 0))\nmove(c, s, 10_009)\n')
        client = [peer for peer in report["peers"] if peer["sent_bytes"] == 10_009][0]
        self.assertRegex(client["local"], r"^\[::1\]:\d+$")
        self.assert_pair(report, "tcp", client["local"], client["remote"], 10_009)

    def test_udp(self):
        report = self.observe(
            """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.connect(s.getsockname())
c.send(b"x" * 1009)
s.recv(2000)
""")
        client = [peer for peer in report["peers"] if peer["sent_bytes"] == 1009][0]
        self.assertEqual(client["protocol"], "udp")
        server = self.peer_of(report, "udp", local=client["remote"])
        self.assertEqual((server["received_bytes"], server["remote"]), (1009, None))

    def test_unix(self):
        report = self.observe(
            """
c, s = connected(socket.AF_UNIX, "path.sock")
move(c, s, 1013)
c, s = connected(socket.AF_UNIX, "\\0abstract")
move(c, s, 1019)
""")
        client = self.peer_of(report, "unix", remote="path.sock")
        self.assertEqual((client["sent_bytes"], client["received_bytes"]), (1013, 0))
        server = self.peer_of(report, "unix", local="path.sock")
        self.assertEqual(server["received_bytes"], 1013)
        self.assertEqual(server["remote_pid"], report.processes[0]["pid"])
        self.assertEqual(self.peer_of(report, "unix", remote="@abstract")["sent_bytes"], 1019)

    def test_without_an_address(self):
        report = self.observe(
            "one, other = socket.socketpair()\nmove(one, other, 1021)\n")
        sockets = [peer for peer in report["peers"] if peer["protocol"] == "unix"]
        self.assertEqual(sorted((peer["sent_bytes"], peer["received_bytes"]) for peer in sockets),
                         [(0, 1021), (1021, 0)])
        for peer in sockets:
            self.assertEqual(peer["remote_pid"], report.processes[0]["pid"])

    def test_netlink(self):
        """A request for the list of network devices."""
        report = self.observe(
            """
import struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
# struct nlmsghdr: RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP; struct ifinfomsg.
s.send(struct.pack("IHHII", 32, 18, 0x301, 1, 0) + bytes(16))
s.recv(1 << 16)
print(s.getsockname()[0])
""")
        netlink = [peer for peer in report["peers"] if peer["protocol"] == "netlink"]
        self.assertEqual([peer["sent_bytes"] for peer in netlink], [32])
        self.assertGreater(netlink[0]["received_bytes"], 32)
        # The kernel gives the first socket of a process its PID.
        self.assertEqual(netlink[0]["local"], str(report.processes[0]["pid"]))

    def test_who_is_at_both_ends_of_a_pipe(self):
        report = self.observe_by("peer", ["sh", "-c", "head -c 10007 /dev/zero | cksum"])
        pipe = [peer for peer in report["peers"] if peer["received_bytes"] == 10_007]
        self.assertEqual([peer["sent_bytes"] for peer in pipe], [10_007])
        names = {process["pid"]: process["name"] for process in report.processes}
        self.assertEqual(sorted(names[pid] for pid in pipe[0]["processes"]), ["cksum", "head"])

    def test_pipes_and_fifos(self):
        report = self.observe(
            """
r, w = os.pipe()
os.write(w, b"x" * 1031)
os.read(r, 2000)
os.mkfifo("named")
f = os.open("named", os.O_RDWR)
os.write(f, b"x" * 1033)
print(os.fstat(r).st_ino)
""")
        pipes = [peer for peer in report["peers"] if peer["protocol"] == "pipe"]
        own = [peer for peer in pipes if peer["sent_bytes"] == 1031]
        self.assertEqual([peer["received_bytes"] for peer in own], [1031])
        self.assertEqual(own[0]["local"], f"pipe:[{own[0]['inode']}]")
        self.assertEqual(self.peer_of(report, "pipe", local=f"{self.directory}/named")
                         ["sent_bytes"], 1033)

    def test_a_server_by_its_port(self):
        report = self.observe(
            """
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
for i in range(20):
    c = socket.create_connection(listener.getsockname())
    s, _ = listener.accept()
    move(s, c, 997)
""", by="port")
        server = [port for port in report["ports"] if port["role"] == "server"]
        self.assertEqual([(port["peers"], port["sent_bytes"]) for port in server],
                         [(20, 20 * 997)])
        self.assertRegex(report.table, r"PORT +AS +PEERS +SENT")

    def test_accepted_before_attaching(self):
        fifo = self.make_fifo()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        process = self.start(
            [sys.executable, "-c",
             f"import socket\nc = socket.create_connection({listener.getsockname()!r})\n"
             f"print(flush=True)\nopen({str(fifo)!r}).read()\nc.sendall(b'x' * 1009)"],
            stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        accepted, address = listener.accept()
        self.addCleanup(accepted.close)
        attached = self.attach("-p", process.pid, "--by", "peer")
        self.open_fifo(fifo)
        report = self.end_of(attached)
        self.assert_sums(report)
        peer = self.peer_of(report, "tcp", remote="127.0.0.1:%d" % listener.getsockname()[1])
        self.assertEqual(peer["local"], "127.0.0.1:%d" % address[1])
        self.assertEqual(peer["sent_bytes"], 1009)


if __name__ == "__main__":
    unittest.main()
