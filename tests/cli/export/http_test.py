# SPDX-License-Identifier: MIT
"""`zctrace export` as an HTTP server: its paths, its limits, and counts that are current."""

import concurrent.futures
import contextlib
import gzip
import http.client
import json
import os
import select
import socket
import subprocess
import sys

from exporters import Exporter, Scrape
from harness import TestCase
from paths import PATIENCE_S, ZCTRACE
from report import Report
from servers import BIG, NginxTest, fetch

CLIENTS = 100


def request(exporter, method, path, **options):
    """The answer and its body, as the server sent it."""
    connection = http.client.HTTPConnection("127.0.0.1", exporter.port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request(method, path, **options)
        answer = connection.getresponse()
        return answer, answer.read()


def connect(exporter):
    return socket.create_connection(("127.0.0.1", exporter.port), timeout=PATIENCE_S)


def is_open(connection):
    """Whether the server has neither sent anything nor closed the connection."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return not poll.poll(0)


class Paths(TestCase):
    def setUp(self):
        super().setUp()
        self.exporter = Exporter(self, "-p", os.getpid())

    def test_start_page_links_metrics(self):
        answer, body = request(self.exporter, "GET", "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.getheader("Content-Type"), "text/html; charset=utf-8")
        self.assertIn(b'<a href="/metrics">', body)

    def test_no_answer_may_load_run_or_be_framed(self):
        for path in ("/", "/metrics", "/healthz", "/api/report", "/nosuch"):
            with self.subTest(path):
                answer, body = request(self.exporter, "GET", path)
                policy = answer.getheader("Content-Security-Policy")
                self.assertTrue(policy.startswith("default-src 'none';"), policy)
                self.assertTrue(policy.endswith("; frame-ancestors 'none'"), policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(answer.getheader("X-Content-Type-Options"), "nosniff")
                self.assertEqual(answer.getheader("Cross-Origin-Resource-Policy"), "same-origin")
                self.assertEqual(answer.getheader("Cache-Control"), "no-store")
                self.assertIsNone(answer.getheader("Access-Control-Allow-Origin"))
                if path == "/":
                    inner = policy.removesuffix("; frame-ancestors 'none'").encode()
                    self.assertIn(b'content="' + inner + b'"', body)

    def test_report_is_one_that_report_and_diff_read(self):
        files = [self.directory / "a.json", self.directory / "b.json"]
        for file in files:
            answer, body = request(self.exporter, "GET", "/api/report")
            self.assertEqual(answer.getheader("Content-Type"), "application/json")
            file.write_bytes(body)
            report = Report(body.decode())  # checked against the schema
            self.assertEqual(report["command"], "export")
            self.assertIn(os.getpid(), [process["pid"] for process in report.processes])
        self.assertEqual(self.zctrace("report", files[0]).returncode, 0)
        self.assertEqual(self.zctrace("diff", *files).returncode, 0)

    def test_report_says_neither_command_lines_nor_paths(self):
        secret = "--password=secret-of-a-command-line"
        path = self.directory / "secret-of-a-path"
        path.write_bytes(b"x" * 5000)
        exporter = Exporter(self, "-a", "--by-mount")
        reader = self.start([sys.executable, "-c", "import sys, time\nopen(sys.argv[1]).read()\n"
                             "print('read', flush=True)\ntime.sleep(1000)", path, secret],
                            stdout=subprocess.PIPE, text=True)
        self.wait_for_line(reader.stdout, "read")

        def listed():
            body = request(exporter, "GET", "/api/report")[1].decode()
            pids = [process["pid"] for process in Report(body).processes]
            return body if reader.pid in pids else None
        self.assertNotIn("secret", self.wait_until(listed, "the reader is listed"))

    def test_healthz_answers(self):
        answer, body = request(self.exporter, "GET", "/healthz")
        self.assertEqual((answer.status, body), (200, b"ok\n"))

    def test_query_of_metrics_is_ignored(self):
        answer, body = request(self.exporter, "GET", "/metrics?name=x")
        self.assertEqual(answer.status, 200)
        self.assertIn(b"zctrace_build_info", body)

    def test_unknown_paths_are_not_found(self):
        for path in ("/nosuch", "/metrics/", "/metricsx", "//metrics", "/healthz/x", "/../metrics",
                     "/api", "/api/", "/api/report/", "/api/reports"):
            with self.subTest(path):
                self.assertEqual(request(self.exporter, "GET", path)[0].status, 404)

    def test_other_methods_are_refused(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "NOSUCH"):
            for path in ("/", "/metrics", "/api/report", "/nosuch"):
                with self.subTest(method=method, path=path):
                    answer, _ = request(self.exporter, method, path, body=b"x")
                    self.assertEqual((answer.status, answer.getheader("Allow")), (405, "GET, HEAD"))

    def test_head_is_get_without_a_body(self):
        for path, status in (("/", 200), ("/metrics", 200), ("/healthz", 200),
                             ("/api/report", 200), ("/nosuch", 404)):
            with self.subTest(path):
                answer, body = request(self.exporter, "HEAD", path)
                self.assertEqual((answer.status, body), (status, b""))
                self.assertGreater(int(answer.getheader("Content-Length")), 0)

    def test_body_of_a_get_is_ignored(self):
        answer, body = request(self.exporter, "GET", "/metrics", body=b"x" * 100000)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"zctrace_build_info", body)

    def test_metrics_are_compressed_for_clients_that_accept_it(self):
        answer, body = request(self.exporter, "GET", "/metrics",
                               headers={"Accept-Encoding": "deflate, gzip"})
        self.assertEqual(answer.getheader("Content-Encoding"), "gzip")
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        scrape = Scrape(gzip.decompress(body).decode())
        self.assertEqual(scrape.values("zctrace_build_info"), [1])
        answer, body = request(self.exporter, "GET", "/metrics")
        self.assertIsNone(answer.getheader("Content-Encoding"))
        self.assertIn(b"zctrace_build_info", body)

    def test_every_metric_is_zctraces_own(self):
        names = {name for name, _ in self.exporter.scrape().samples}
        self.assertEqual({name for name in names if not name.startswith("zctrace_")}, set())

    def test_export_listens_on_ipv6(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        exporter = Exporter(self, "-p", os.getpid(), listen="[::1]:0")
        self.assertTrue(exporter.url.startswith("http://[::1]:"), exporter.url)
        self.assertEqual(exporter.scrape().values("zctrace_build_info"), [1])
        done = self.zctrace("export", "-a", "--listen", f"[::1]:{exporter.port}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Address already in use; choose another port", done.stderr)


    def test_report_is_not_made_for_each_request(self):
        """However many ask, it is made once a second at most, so it costs little."""
        lengths = []
        while len(set(lengths)) < 4:
            lengths.append(json.loads(request(self.exporter, "GET", "/api/report")[1])["duration_ns"])
        made = sorted(set(lengths))
        self.assertEqual(lengths, sorted(lengths))
        self.assertGreater(min(after - before for before, after in zip(made, made[1:])), 999e6)


class Clients(TestCase):
    def setUp(self):
        super().setUp()
        self.exporter = Exporter(self, "-p", os.getpid())

    def scrapes_beside(self, first_bytes):
        """A scrape is answered while CLIENTS connections that have sent only this stay open."""
        def attempt():
            with contextlib.ExitStack() as stack:
                others = [stack.enter_context(connect(self.exporter)) for _ in range(CLIENTS)]
                for other in others:
                    other.sendall(first_bytes)
                self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])
                return all(map(is_open, others))
        self.wait_until(attempt, "a scrape that waits for no other client")

    def test_scrape_does_not_wait_for_silent_clients(self):
        self.scrapes_beside(b"")

    def test_scrape_does_not_wait_for_clients_that_send_slowly(self):
        self.scrapes_beside(b"GET /metrics HTTP/1.1\r\nHost: x")

    def test_scrape_does_not_wait_for_clients_that_do_not_read(self):
        with contextlib.ExitStack() as stack:
            for _ in range(CLIENTS):
                other = stack.enter_context(socket.socket())
                other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                other.connect(("127.0.0.1", self.exporter.port))
                other.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])

    def test_clients_that_do_not_read_pages_take_little_memory(self):
        with contextlib.ExitStack() as stack:
            for path in (b"/", b"/api/report") * CLIENTS:
                other = stack.enter_context(socket.socket())
                other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                other.connect(("127.0.0.1", self.exporter.port))
                other.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])
            self.assertLess(self.exporter.resident_bytes(), 64 << 20)

    def test_oldest_connections_make_space_for_new_ones(self):
        with contextlib.ExitStack() as stack:
            others = [stack.enter_context(connect(self.exporter)) for _ in range(700)]
            self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])
            for path in ("/", "/api/report", "/healthz"):
                self.assertEqual(request(self.exporter, "GET", path)[0].status, 200)
            self.assertFalse(is_open(others[0]))
            descriptors = os.listdir(f"/proc/{self.exporter.process.pid}/fd")
            self.assertLess(len(descriptors), 400)

    def test_slow_header_ends(self):
        with connect(self.exporter) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\n")

            def attempt():
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    slow.sendall(b"x")
                return not is_open(slow)
            self.wait_until(attempt, "the server closes the connection")
        self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])

    def test_huge_header_is_refused(self):
        for header in (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * (1 << 20), b"x" * (1 << 20),
                       b"GET /" + b"x" * (1 << 20)):
            with self.subTest(header[:20]), connect(self.exporter) as client:
                answer = b""
                # The server closes it while it is being sent.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(header)
                with contextlib.suppress(ConnectionResetError):
                    answer = b"".join(iter(lambda: client.recv(4096), b""))
                self.assertNotIn(b" 200 ", answer[:20])
        self.assertEqual(self.exporter.scrape().values("zctrace_build_info"), [1])
        self.assertLess(self.exporter.resident_bytes(), 64 << 20)

    def test_many_scrape_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            scrapes = list(pool.map(lambda _: self.exporter.scrape(), range(4 * CLIENTS)))
        self.assertEqual([scrape.values("zctrace_build_info") for scrape in scrapes],
                         [[1]] * len(scrapes))


class Current(NginxTest):
    def sent(self):
        return self.exporter.scrape().sum("zctrace_bytes_total", name="nginx", to="socket")

    def test_scrape_has_the_bytes_of_a_transfer_that_has_just_ended(self):
        self.start_nginx("sendfile on;")
        self.exporter = Exporter(self, "-p", self.master.pid)
        received = 0
        for name in ("big", "small", "512", "big", "513"):
            received += fetch(self.port, name).received
            self.assertEqual(self.sent(), received, name)
        scrape = self.exporter.scrape()
        self.assertGreater(scrape.sum("zctrace_bytes_total", name="nginx", syscall="sendfile"),
                           2 * BIG)
        self.assertEqual(set(scrape.values("zctrace_lost_events_total")), {0})


class Library(TestCase):
    needs_bpf = False

    def test_only_export_loads_the_http_library(self):
        done = self.zctrace("--version", env={**os.environ, "LD_DEBUG": "libs"})
        self.assertIn("libbpf", done.stderr)
        self.assertNotIn("libmicrohttpd", done.stderr, ZCTRACE)
