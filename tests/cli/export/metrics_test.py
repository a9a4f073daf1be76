# SPDX-License-Identifier: MIT
"""`zctrace export`: what Prometheus gets, under churn, limits and load."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from exporters import DEPLOY, Exporter
from harness import TestCase
from paths import NOBODY, PATIENCE_S, ZCTRACE, tool
from processes import state_of

# Reads a number, runs dd that many times, and answers.
DD_BYTES = 7000
CHURN = """while read count; do
  i=0
  while [ $i -lt $count ]; do
    dd if=/dev/zero of=/dev/null bs=1000 count=7 status=none; i=$((i + 1))
  done
  echo done
done"""
# Moves bytes by sendfile and by write, fails now and then, and waits in a call.
LOAD = r"""
import os, socket, threading, time
ours, theirs = socket.socketpair()
def drain():
    while theirs.recv(1 << 16):
        pass
threading.Thread(target=drain, daemon=True).start()
path = os.open(__file__, os.O_RDONLY)
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far = listener.accept()[0]
print("ready", flush=True)
parent = os.getppid()
while os.getppid() == parent:
    near.send(b"x")
    far.recv(100)
    for _ in range(20):
        os.sendfile(ours.fileno(), path, 0, 100)
        ours.send(b"x" * 100)
    try:
        os.read(-1, 1)
    except OSError:
        pass
    time.sleep(0.01)
"""
# Waits, then starts children that each have a new name: endless series.
NAMES = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None)
children = []
os.read(0, 1)
for number in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        libc.prctl(15, b"name%d" % number)
        os.write(os.open("/dev/null", os.O_WRONLY), b"x" * 10)
        os.read(0, 1)
        os._exit(0)
    children.append(pid)
os.write(1, b"ready\n")
for pid in children:
    os.waitpid(pid, 0)
"""

# When told to, sends and receives through as many ports, and writes a file.
PORTS = r"""
import os, socket, sys, tempfile
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
pairs = []
for listener in listeners:
    near = socket.create_connection(listener.getsockname())
    pairs.append((near, listener.accept()[0]))
print("ready", flush=True)
sys.stdin.readline()
for near, far in pairs:
    near.sendall(bytes(1009))
    size = 1009
    while size: size -= len(far.recv(size))
with tempfile.TemporaryFile(dir=os.environ["TMPDIR"]) as file:
    os.write(file.fileno(), bytes(10007))
print("sent", flush=True)
sys.stdin.readline()
"""


def status_field(pid, name):
    return re.search(rf"^{name}:\s*(.*)$", pathlib.Path(f"/proc/{pid}/status").read_text(),
                     re.MULTILINE)[1]


class Export(TestCase):
    def start_load(self):
        script = self.directory / "load.py"
        script.write_text(LOAD)
        load = self.start([sys.executable, script], stdout=subprocess.PIPE, text=True)
        self.wait_for_line(load.stdout, "ready")
        return load

    def start_churn(self):
        shell = self.start(["sh", "-c", CHURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           text=True)

        def run(count):
            shell.stdin.write(f"{count}\n")
            shell.stdin.flush()
        return shell, run

    def test_promtool_accepts_the_metrics(self):
        load = self.start_load()
        exporter = Exporter(self, "-p", load.pid)
        exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_bytes_total", syscall="sendfile") and
            scrape.sum("zctrace_bytes_total", syscall="sendto") and
            scrape.sum("zctrace_errors_total", syscall="read") and
            scrape.sum("zctrace_off_cpu_seconds_total") and
            scrape.sum("zctrace_context_switches_total", kind="voluntary"), "all that it does")
        # A reading may have half of a call of a running process.
        load.send_signal(signal.SIGSTOP)
        self.wait_until(lambda: state_of(load.pid) == "T", "the load stops")
        scrape = exporter.scrape()
        done = subprocess.run([tool("promtool"), "check", "metrics"], input=scrape.text, text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        labels = {"name": pathlib.Path(f"/proc/{load.pid}/comm").read_text().strip(),
                  "syscall": "sendfile", "from": "file", "to": "socket"}
        calls = scrape.sum("zctrace_syscalls_total", **labels)
        self.assertEqual(scrape.sum("zctrace_bytes_total", **labels), 100 * calls)
        self.assertEqual(scrape.sum("zctrace_zero_copy_bytes_total"), 100 * calls)
        self.assertEqual(scrape.sum("zctrace_syscall_duration_seconds_bucket", le="+Inf", **labels),
                         scrape.sum("zctrace_syscall_duration_seconds_count", **labels))
        self.assertLess(scrape.sum("zctrace_zero_copy_bytes_total"),
                        scrape.sum("zctrace_delivered_bytes_total"))
        self.assertGreater(scrape.sum("zctrace_errors_total", syscall="read"), 0)
        self.assertGreater(scrape.sum("zctrace_context_switches_total", kind="voluntary"), 0)
        self.assertGreater(scrape.sum("zctrace_off_cpu_seconds_total"), 0)
        lost = scrape.values("zctrace_lost_events_total")
        self.assertEqual((set(lost), len(lost)), ({0}, 13), "cli/views/prometheus reserves so many")
        self.assertEqual(scrape.values("zctrace_folded_series_total"), [0])
        self.assertEqual(scrape.values("zctrace_build_info"), [1])
        self.assertNotIn("pid", {name for _, labels in scrape.samples for name, _ in labels})

    def test_counts_stay_exact_and_monotonic_while_processes_come_and_go(self):
        shell, run = self.start_churn()
        exporter = Exporter(self, "-p", shell.pid)
        run(300)
        before = exporter.scrape()
        total = lambda scrape: scrape.sum("zctrace_bytes_total", syscall="write", to="device")
        for _ in range(PATIENCE_S * 20):
            now = exporter.scrape()
            for key, value in before.counters().items():
                self.assertGreaterEqual(now.samples.get(key, -1), value, key)
            before = now
            if total(now) >= 300 * DD_BYTES:
                break
            time.sleep(0.05)
        self.assertEqual(total(before), 300 * DD_BYTES)
        self.assertEqual(before.sum("zctrace_delivered_bytes_total"),
                         before.sum("zctrace_bytes_total", **{"from": "user"}) - total(before))
        # A child that execs, runs and ends during one reading is counted under the shell's name.
        self.assertGreater(before.sum("zctrace_bytes_total", name="dd", to="device"),
                           0.97 * 300 * DD_BYTES)
        self.assertEqual(set(before.values("zctrace_lost_events_total")), {0})

    def test_memory_does_not_grow_with_the_number_of_processes_that_ended(self):
        shell, run = self.start_churn()
        exporter = Exporter(self, "-p", shell.pid)
        total = 0

        def churn(count):
            nonlocal total
            total += count
            run(count)
            self.wait_for_line(shell.stdout, "done")
            exporter.scrape_until(
                lambda scrape: scrape.sum("zctrace_bytes_total", to="device") >= total * DD_BYTES
                and scrape.sum("zctrace_observed_processes") == 1, "all counted")
            return exporter.resident_bytes()
        # malloc keeps memory for as many processes as end between two readings.
        first = max(churn(150) for _ in range(4))
        last = max(churn(150) for _ in range(16))
        self.assertLess(last - first, 2 << 20)

    def test_series_stay_within_the_limit(self):
        for limit in (150, 500):
            with self.subTest(limit=limit):
                names = self.start([sys.executable, "-c", NAMES, "150"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
                exporter = Exporter(self, "-p", names.pid, "--max-series", limit)
                names.stdin.write("\n")
                names.stdin.flush()
                self.wait_for_line(names.stdout, "ready")
                scrape = exporter.scrape_until(
                    lambda scrape: scrape.sum("zctrace_bytes_total", to="device") >= 1400, "names")
                self.assertLessEqual(len(scrape.samples), limit)
                self.assertGreater(scrape.sum("zctrace_folded_series_total"), 0)
                self.assertGreater(scrape.sum("zctrace_syscalls_total", name="other"), 0)

    def test_ports_and_mounts_beyond_the_limit_are_summed(self):
        load = self.start([sys.executable, "-c", PORTS, "200"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "TMPDIR": str(self.directory)})
        self.wait_for_line(load.stdout, "ready")
        exporter = Exporter(self, "-p", load.pid, "--by-port", "--by-mount", "--max-series", 250)
        load.stdin.write("go\n")
        load.stdin.flush()
        self.wait_for_line(load.stdout, "sent")
        scrape = exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_port_sent_bytes_total") >= 200 * 1009, "all sent")
        self.assertLessEqual(len(scrape.samples), 250)
        self.assertEqual(scrape.sum("zctrace_port_sent_bytes_total"), 200 * 1009)
        self.assertEqual(scrape.sum("zctrace_port_received_bytes_total"), 200 * 1009)
        self.assertGreater(scrape.sum("zctrace_port_sent_bytes_total", protocol="other"), 100 * 1009)
        self.assertGreater(scrape.sum("zctrace_folded_series_total"), 0)
        self.assertEqual(set(scrape.values("zctrace_port_retransmits_total")), {0})
        mount = subprocess.run(["findmnt", "-nT", self.directory, "-o", "TARGET,FSTYPE"], stdout=-1,
                               text=True, check=True).stdout.split()
        labels = {"mountpoint": mount[0], "fstype": mount[1]}
        self.assertEqual(scrape.sum("zctrace_mount_written_bytes_total", **labels), 10_007)
        # Counters stay when the process ends and is forgotten.
        load.stdin.close()
        load.wait(PATIENCE_S)
        later = exporter.scrape_until(
            lambda scrape: scrape.values("zctrace_observed_processes") == [0], "the end")
        for key, value in scrape.counters().items():
            if key[0].startswith(("zctrace_port_", "zctrace_mount_")):
                self.assertGreaterEqual(later.samples.get(key, -1), value, key)
        self.assertEqual(later.sum("zctrace_port_sent_bytes_total"), 200 * 1009)

    def test_too_few_series_for_ports_is_a_usage_error(self):
        done = self.zctrace("export", "-a", "--by-port", "--max-series", "150")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines()[0],
                         "zctrace: --max-series 150: must be at least 200 with --by-port")

    def test_a_scrape_has_all_of_a_thousand_processes(self):
        names = self.start([sys.executable, "-c", NAMES, "1000"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
        exporter = Exporter(self, "-p", names.pid, "--max-series", 100000)
        names.stdin.write("\n")
        names.stdin.flush()
        scrape = exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_bytes_total", to="device") >= 10000, "all wrote")
        self.assertEqual(scrape.values("zctrace_observed_processes"), [1001])
        self.assertEqual([scrape.sum("zctrace_bytes_total", name=f"name{number}", to="device")
                          for number in range(1000)], [10] * 1000)

    def test_signals_end_export_while_clients_are_connected(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                exporter = Exporter(self, "-p", os.getpid())
                with socket.create_connection(("127.0.0.1", exporter.port)):
                    self.assertEqual(exporter.end(number), 0)

    def test_export_continues_after_its_targets_ended(self):
        shell, run = self.start_churn()
        exporter = Exporter(self, "-p", shell.pid)
        run(1)
        shell.stdin.close()
        shell.wait(PATIENCE_S)
        scrape = exporter.scrape_until(
            lambda scrape: scrape.values("zctrace_observed_processes") == [0], "the end")
        self.assertEqual(scrape.sum("zctrace_bytes_total", to="device"), DD_BYTES)

    def test_export_listens_on_loopback_by_default(self):
        exporter = Exporter(self, "-p", os.getpid())
        inodes = set()
        for entry in os.scandir(f"/proc/{exporter.process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # a descriptor that a reading has just closed
                inodes.add(os.readlink(entry.path))
        listening = []
        for table in ("tcp", "tcp6"):
            for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                words = line.split()
                if f"socket:[{words[9]}]" in inodes and words[3] == "0A":
                    listening.append(words[1])
        self.assertEqual(listening, [f"0100007F:{exporter.port:04X}"])
        text = self.zctrace("export", "--help").stdout
        self.assertIn("127.0.0.1:9435", text)

    def test_export_runs_without_root_and_keeps_no_capability(self):
        only = "-all,+bpf,+perfmon"
        prefix = [tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                  f"--inh-caps={only}", "--ambient-caps=+bpf,+perfmon", f"--bounding-set={only}",
                  "--no-new-privs"]
        binary = self.directory / "zctrace"  # other users may not be able to read the tree
        shutil.copy(ZCTRACE, binary)
        load = self.start_load()
        exporter = Exporter(self, "-n", "python*", prefix=prefix, program=binary)
        exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_bytes_total", syscall="sendfile") > 0,
            f"the load of process {load.pid}, which is root's")
        for sets in ("CapEff", "CapPrm", "CapAmb"):
            self.assertEqual(int(status_field(exporter.process.pid, sets), 16), 0, sets)

    def test_prometheus_gets_data_for_every_panel(self):
        prometheus = tool("prometheus")
        load = self.start_load()
        exporter = Exporter(self, "-p", load.pid, "--by-port", "--by-mount")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = self.directory / "prometheus.yml"
        config.write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{DEPLOY}/prometheus/zctrace.rules.yml]
scrape_configs:
  - job_name: zctrace
    static_configs: [{{targets: ["127.0.0.1:{exporter.port}"]}}]
""")
        with open(self.directory / "prometheus.log", "w", encoding="utf-8") as log:
            self.start([prometheus, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                        f"--storage.tsdb.path={self.directory / 'tsdb'}"], stdout=log, stderr=log)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def query(expression):
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode(
                {"query": expression})
            try:
                with opener.open(url, timeout=PATIENCE_S) as answer:
                    return json.load(answer)["data"]["result"]
            except urllib.error.HTTPError as error:
                self.assertEqual(error.code, 503, f"{expression}: {error.read().decode()}")
            except OSError:
                pass  # it does not listen yet
            return []

        dashboard = json.loads((DEPLOY / "grafana" / "zctrace.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(expressions), 15)
        for expression in expressions:
            for variable, value in (("$__rate_interval", "5s"), ("$__range", "1m"),
                                    ("$instance", ".+"), ("$name", ".+")):
                expression = expression.replace(variable, value)
            with self.subTest(expression):
                self.assertNotIn("$", expression)
                samples = self.wait_until(lambda: query(expression), expression)
                self.assertTrue(all(sample["value"][1] != "" for sample in samples))
        (share,) = self.wait_until(lambda: query("instance_name:zctrace_zero_copy:ratio_rate5m"),
                                   "the recorded share")
        self.assertAlmostEqual(float(share["value"][1]), 0.5, delta=0.05)
        # On a busy machine a scrape may time out; the alert ends with the next one.
        for alarm in ("ALERTS{alertname=~'Zctrace.+'}", "count(up == 0)"):
            self.wait_until(lambda alarm=alarm: query("count(up)") and not query(alarm),
                            f"nothing is wrong: {alarm}")
