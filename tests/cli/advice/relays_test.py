# SPDX-License-Identifier: MIT
"""Bytes that programs only pass on: what is recognized, and what is not taken for it."""

import os
import socket
import threading

from advice.advice_case import MIB, PYTHON, AdviceCase
from paths import PATIENCE_S, ZCTRACE, tool
from report import Report
from servers import BIG, Attached, NginxTest, fetch

COPYFILEOBJ = """
import shutil, sys
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as sink:
    shutil.copyfileobj(source, sink)
"""


class Programs(AdviceCase):
    def relay_of(self, report, name, moved, least=1.0):
        """The only relay, which has at least this share of the bytes that the program moved, and
        never more."""
        advice = self.only_advice(report, "relay", name)
        self.assertLessEqual(advice["bytes"], moved)
        self.assertGreaterEqual(advice["bytes"], least * moved)
        return advice

    def test_dd(self):
        source, sink = self.source(), self.directory / "sink"
        report = self.advised("dd", f"if={source}", f"of={sink}", "bs=64K")
        advice = self.relay_of(report, "dd", 8 * MIB)
        self.assertEqual((advice["from"]["path"], advice["to"]["path"]), (str(source), str(sink)))
        self.assertEqual(advice["via"], ["read", "write"])
        self.assertEqual((advice["instead"], advice["legal"]), ("copy_file_range", True))
        self.assertEqual(advice["saves"]["syscalls"], 128)
        self.assertEqual(advice["saves"]["syscalls_most"], 255)
        self.assertEqual(advice["saves"]["cpu_copied_bytes"], 8 * MIB)

    def test_dd_across_file_systems(self):
        report = self.advised("dd", f"if={self.source()}", f"of={self.memory() / 'sink'}", "bs=64K")
        self.assertEqual(self.relay_of(report, "dd", 8 * MIB)["instead"], "sendfile")

    def test_a_file_open_for_appending(self):
        report = self.advised("sh", "-c", f"dd if={self.source()} bs=64K >> {self.directory}/sink")
        advice = self.relay_of(report, "dd", 8 * MIB)
        self.assertEqual((advice["instead"], advice["legal"]), ("copy_file_range", False))
        self.assertIn("O_APPEND", advice["why"])

    def test_cat_into_a_pipe(self):
        source = self.source()
        report = self.advised("sh", "-c", f"cat {source} | cksum")
        advice = self.relay_of(report, "cat", 8 * MIB)
        self.assertEqual(advice["from"]["path"], str(source))
        self.assertEqual((advice["to"]["kind"], advice["instead"]), ("pipe", "splice"))
        self.assertEqual(advice["saves"]["cpu_copied_bytes"], 16 * MIB)

    def test_cp_across_file_systems(self):
        # It tried copy_file_range before, so this is the better advice.
        report = self.advised("cp", self.source(), self.memory() / "sink")
        self.assert_none(report, "relay")
        self.assertEqual(self.only_advice(report, "fallback", "cp")["bytes"], 8 * MIB)

    def test_a_python_copy(self):
        report = self.advised(*PYTHON, COPYFILEOBJ, self.source(), self.directory / "sink")
        self.relay_of(report, None, 8 * MIB)

    def test_socat(self):
        """Between two sockets, both ways through splice."""
        received = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def take():
            connection, _ = listener.accept()
            with connection:
                while block := connection.recv(MIB):
                    received.append(len(block))

        taking = threading.Thread(target=take)
        taking.start()
        path = self.directory / "socket"
        port = listener.getsockname()[1]
        report_path = self.directory / "report.json"
        observed = self.start([ZCTRACE, "run", "-q", "--advise", "--strict", "--json",
                               report_path, "--", tool("socat"), f"UNIX-LISTEN:{path}",
                               f"TCP:127.0.0.1:{port}"])
        self.wait_until(path.exists, "socat listens")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(os.urandom(8 * MIB))
        taking.join(PATIENCE_S)
        self.assertEqual(observed.wait(PATIENCE_S), 0)
        self.assertEqual(sum(received), 8 * MIB)
        advice = self.relay_of(Report(report_path.read_text()), "socat", 8 * MIB, 0.99)
        self.assertEqual((advice["from"]["protocol"], advice["to"]["protocol"]), ("unix", "tcp"))
        self.assertEqual((advice["instead"], advice["legal"]), ("splice", True))
        self.assertEqual(advice["saves"]["cpu_copied_bytes"], 16 * MIB)

    def test_compressing_is_no_relay(self):
        source = self.directory / "text"
        source.write_bytes(b"".join(b"%d\n" % number for number in range(1_000_000)))
        report = self.advised("gzip", "-1", "-k", source)
        self.assert_none(report, "relay")

    def test_compressing_what_cannot_be_compressed_is_no_relay(self):
        report = self.advised("gzip", "-1", "-k", self.source())
        self.assert_none(report, "relay")

    def test_encrypting_is_no_relay(self):
        report = self.advised(tool("openssl"), "enc", "-aes-128-ctr", "-pass", "pass:x", "-pbkdf2",
                              "-in", self.source(), "-out", self.directory / "sink")
        self.assert_none(report, "relay")


class Nginx(NginxTest):
    def test_without_sendfile(self):
        self.start_nginx("sendfile off;")
        attached = Attached(self, "-p", self.master.pid, "--advise")
        self.assert_body("big", fetch(self.port, "big").body)
        self.wait_for_requests(1)
        advice = attached.detach()["advice"]
        self.assertEqual([one["kind"] for one in advice], ["relay"])
        (relay,) = advice
        self.assertEqual((relay["name"], relay["instead"], relay["legal"]),
                         ("nginx", "sendfile", True))
        self.assertEqual(relay["from"]["path"], str(self.root / "big"))
        self.assertIn(f"127.0.0.1:{self.port}", relay["to"]["peer"])
        self.assertEqual(sorted(relay["via"]), ["pread64", "writev"])
        self.assertLessEqual(relay["bytes"], BIG)
        self.assertGreater(relay["bytes"], 0.95 * BIG)

    def test_of_many_clients_is_one_advice(self):
        self.start_nginx("sendfile off;")
        attached = Attached(self, "-p", self.master.pid, "--advise")
        for _ in range(20):
            fetch(self.port, "big")
        self.wait_for_requests(20)
        (relay,) = attached.detach()["advice"]
        self.assertEqual((relay["from"]["count"], relay["to"]["count"]), (1, 20))
        self.assertIsNone(relay["to"]["peer"])
        self.assertTrue(set(relay["pids"]) <= self.seen)

    def test_with_sendfile_there_is_nothing_to_say(self):
        self.start_nginx("sendfile on;")
        attached = Attached(self, "-p", self.master.pid, "--advise")
        fetch(self.port, "big")
        self.wait_for_requests(1)
        self.assertEqual(attached.detach()["advice"], [])
