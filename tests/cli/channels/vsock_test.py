# SPDX-License-Identifier: MIT
"""Sockets between virtual machines, over the loopback that the module vsock_loopback gives."""

import socket

from channels.channel_case import ChannelCase
from harness import in_both_modes

CONNECTED = """
import socket
listener = socket.socket(socket.AF_VSOCK)
listener.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
listener.listen()
PORT = listener.getsockname()[1]
client = socket.socket(socket.AF_VSOCK)
client.connect((LOCAL, PORT))
server = listener.accept()[0]
"""
LOCAL = 1  # VMADDR_CID_LOCAL, which Python 3.11 does not name


def available():
    """Whether a listener on this machine can be reached from it."""
    try:
        with socket.socket(socket.AF_VSOCK) as listener, socket.socket(socket.AF_VSOCK) as client:
            listener.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
            listener.listen()
            client.connect((LOCAL, listener.getsockname()[1]))
            return True
    except OSError:
        return False


class Vsock(ChannelCase):
    def setUp(self):
        super().setUp()
        if not available():
            self.skipTest("needs the kernel's module vsock_loopback")

    @in_both_modes
    def test_both_ends_by_context_and_port(self, mode):
        report = self.observe_python(f"LOCAL = {LOCAL}\n{CONNECTED}" + """
client.sendall(b"x" * 10_007)
left = 10_007
while left:
    left -= len(server.recv(left))
server.sendall(b"x" * 101)
client.recv(101)
open("port", "w").write(str(PORT))
""", mode, by="peer")
        port = int((self.directory / "port").read_text())
        client = self.peer_of(report, "vsock", remote=f"{LOCAL}:{port}")
        self.assertEqual((client["sent_bytes"], client["received_bytes"]), (10_007, 101))
        # A client that does not bind has no context of its own.
        context, _, own_port = client["local"].partition(":")
        self.assertEqual(context, "*")
        server = self.peer_of(report, "vsock", remote=f"{LOCAL}:{own_port}")
        self.assertEqual((server["sent_bytes"], server["received_bytes"]), (101, 10_007))
        self.assertEqual(server["local"].split(":")[1], str(port))
        self.assertEqual({(one["port"], one["role"], one["protocol"]) for one in report["ports"]},
                         {(port, "client", "vsock"), (port, "server", "vsock")})

    def test_sendfile_is_copied_into_the_packets(self):
        report = self.observe_python(f"LOCAL = {LOCAL}\n{CONNECTED}" + """
open("source", "wb").write(b"x" * 65_536)
source = os.open("source", os.O_RDONLY)
sent = 0
while sent < 65_536:
    sent += os.sendfile(client.fileno(), source, sent, 65_536 - sent)
left = 65_536
while left:
    left -= len(server.recv(left))
""", by="peer")
        (row,) = [row for row in report.totals["rows"] if row["syscall"] == "sendfile"]
        self.assertEqual((row["bytes"], row["protocol"]), (65_536, "vsock"))
        self.assertEqual((row["cpu_copied_bytes"], row["verdict"]), (65_536, "copied"))
