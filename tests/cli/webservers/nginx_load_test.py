# SPDX-License-Identifier: MIT
"""nginx observed between, during and across requests."""

import pathlib
import signal
import time

from harness import in_both_modes
from processes import state_of
from servers import (MIB, SMALL, WORKERS, Attached, NginxTest, bytes_to_sockets, connect,
                     request_for, rows_to)


class NginxWhileServing(NginxTest):
    """However attaching and detaching fall between requests, no byte is lost or counted twice."""

    @in_both_modes
    def test_whole_load_until_the_last_worker_ends(self, mode):
        self.start_nginx("sendfile on;")
        attached = Attached(self, "-p", self.master.pid, *mode)
        load = self.load("big")
        self.wait_for_requests(100)
        self.end_load(load)
        self.quit_nginx()
        # attach ends by itself, as its last target has ended.
        report = attached.report()
        self.assert_log_agrees(report, self.requests())
        self.assertTrue(all(process["ended_ns"] for process in report.processes))

    @in_both_modes
    def test_between_two_bursts_on_idle_connections(self, mode):
        self.start_nginx("sendfile on;")
        connections = [connect(self.port) for _ in range(8)]
        for connection in connections:
            self.addCleanup(connection.close)
        request = request_for("small", keep_alive=True)

        def burst():
            received = 0
            for connection in connections * 3:
                connection.sendall(request)
                response = b""
                while b"\r\n\r\n" not in response:
                    response += connection.recv(65536)
                length = response.index(b"\r\n\r\n") + 4 + SMALL
                while len(response) < length:
                    response += connection.recv(65536)
                received += len(response)
            return received

        burst()
        self.wait_for_requests(24)
        attached = Attached(self, "-p", self.master.pid, *mode)
        received = burst()
        self.wait_for_requests(48)
        report = attached.detach()
        burst()
        requests = self.wait_for_requests(72)
        self.assert_log_agrees(report, requests[24:48])
        rows = rows_to("socket", report)
        self.assertEqual(rows["sendfile"], (24, 24 * SMALL))
        self.assertEqual(rows["writev"], (24, received - 24 * SMALL))
        self.assertEqual(report.bytes("recvfrom", "socket", "user"), 24 * len(request))

    def wait_until_idle(self):
        """Waits until no worker runs: the client does not read and the socket is full."""
        def switches():
            return [pathlib.Path(f"/proc/{pid}/status").read_text().split("voluntary", 1)[1]
                    for pid in self.workers()]

        def sleep():
            return all(state_of(pid) == "S" for pid in self.workers())

        def idle():
            if not sleep():
                return False
            before = switches()
            time.sleep(0.3)
            return switches() == before and sleep()

        self.wait_until(idle, "the workers wait")

    def hand_over(self, mode):
        """The first observer ends and the second begins while a response is half sent."""
        request = request_for("big")
        first = Attached(self, "-p", self.master.pid, *mode)
        connection = connect(self.port, receive_buffer=65536)
        self.addCleanup(connection.close)
        connection.sendall(request)
        response = [connection.recv(MIB)]
        self.wait_until_idle()
        second = Attached(self, "-p", self.master.pid, *mode)
        before = first.detach()
        response += iter(lambda: connection.recv(MIB), b"")
        after = second.detach()
        response = b"".join(response)
        self.assert_body("big", response.partition(b"\r\n\r\n")[2])
        sent = [sum(bytes_to_sockets(report, pid) for pid in self.workers())
                for report in (before, after)]
        self.assertTrue(all(sent), sent)
        self.assertEqual(sum(sent), len(response), sent)

    @in_both_modes
    def test_in_the_middle_of_a_response_by_sendfile(self, mode):
        self.start_nginx("sendfile on;")
        self.hand_over(mode)

    @in_both_modes
    def test_in_the_middle_of_a_response_by_writev(self, mode):
        self.start_nginx("sendfile off;")
        self.hand_over(mode)

    @in_both_modes
    def test_attached_and_detached_in_the_middle_of_a_load(self, mode):
        # nginx reads the log's clock once per round of its event loop.
        slack_s = 0.2
        self.start_nginx("sendfile on;")
        whole = Attached(self, "-p", self.master.pid, *mode)
        load = self.load("small")
        self.wait_for_requests(1000)
        begin = time.time()
        part = Attached(self, "-p", self.master.pid, *mode)
        attached = time.time()
        self.wait_until(lambda: sum(each.begin > attached + slack_s
                                    for each in self.requests()) > 200, "200 requests")
        time.sleep(2 * slack_s)
        detaching = time.time()
        report = part.detach()
        detached = time.time()
        self.wait_for_requests(self.logged() + 1000)
        self.end_load(load)
        self.quit_nginx()

        requests = self.requests()
        whole_report = whole.report()
        self.assert_log_agrees(whole_report, requests)

        inside = sum(each.bytes for each in requests
                     if each.begin > attached + slack_s and each.end < detaching - slack_s)
        touching = sum(each.bytes for each in requests
                       if each.end > begin - slack_s and each.begin < detached + slack_s)
        rows = rows_to("socket", report)
        self.assertEqual(set(rows), {"writev", "sendfile"})
        counted = sum(moved for _, moved in rows.values())
        self.assertGreater(inside, 100 * SMALL)
        self.assertLessEqual(inside, counted)
        self.assertLessEqual(counted, touching)
        # Each call is counted once with all its bytes; a worker may be between the two calls of a
        # response when observation starts and when it ends.
        header = requests[0].bytes - SMALL
        self.assertEqual(rows["sendfile"][1], rows["sendfile"][0] * SMALL)
        self.assertEqual(rows["writev"][1], rows["writev"][0] * header)
        self.assertLessEqual(abs(rows["sendfile"][0] - rows["writev"][0]), 2 * WORKERS)

    @in_both_modes
    def test_through_reloads(self, mode):
        """New workers match both targets: they descend from the master's pid and have its name."""
        self.start_nginx("sendfile on;")
        by_pid = Attached(self, "-p", self.master.pid, *mode)
        by_name = Attached(self, "-n", "nginx", *mode)
        # An old worker still sends this response after two reloads.
        slow = connect(self.port, receive_buffer=65536)
        self.addCleanup(slow.close)
        slow.sendall(request_for("big"))
        response = [slow.recv(4096)]
        loads = [self.load("small", connections=8), self.load("big", connections=8)]
        for reload in (1, 2):
            self.wait_for_requests(self.logged() + 500)
            old = self.workers()
            self.master.send_signal(signal.SIGHUP)
            self.wait_until(lambda: len(self.workers() & old) == 1 and
                            len(self.seen) == (reload + 1) * WORKERS,
                            "new workers take over; of the old ones, that of the slow reader stays")
        (stayed,) = self.workers() & old
        self.wait_for_requests(self.logged() + 500)
        response += iter(lambda: slow.recv(MIB), b"")
        response = b"".join(response)
        self.assert_body("big", response.partition(b"\r\n\r\n")[2])
        self.end_load(*loads)
        self.quit_nginx()
        requests = self.requests()
        self.assertIn((stayed, len(response)), [(each.pid, each.bytes) for each in requests])
        for report in (by_pid.report(), by_name.detach()):
            ours = {process["pid"] for process in report.processes
                    if process["pid"] == self.master.pid or
                    process["parent_pid"] == self.master.pid}
            self.assertEqual(ours, {self.master.pid, *self.seen})
            self.assert_log_agrees(report, requests)
            # Workers without a request sent nothing, and no other process sent a response.
            self.assertEqual(sum(bytes_to_sockets(report, pid) for pid in self.seen),
                             sum(request.bytes for request in requests))
            self.assertEqual(set(rows_to("socket", report, {self.master.pid})), {"sendmsg"})
