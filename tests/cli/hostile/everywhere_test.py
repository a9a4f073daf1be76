# SPDX-License-Identifier: MIT
"""Each command, as root, as a setcap binary and as an ordinary user, beside all attackers at
once: it does its work in little memory, and ends when told to. It also stays small beside each
attacker alone."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

from exporters import Exporter
from mounts import AS_NOBODY, MountTest
from paths import NOBODY, PATIENCE_S, ZCTRACE, tool
from processes import children
from report import Report
from terminal import Terminal

MOST_KIB = 64 * 1024
WORDS = 100_000
PROCESSES = 750  # with more than 131,072 rows together
BYTES = 10007 * 101
COPY = ["dd", "if=/dev/zero", "bs=10007", "count=101"]

# Prints a line, and becomes one of the tests' programs.
BECOME = [*AS_NOBODY, "sh", "-c", 'echo ready; exec "$0" "$@"']

# The command line of each attacker. All run as one ordinary user. DIRECTORY stands for a new
# directory of the attacker's own; PROGRAMS are those of the tests.
PROGRAMS = {"unreadable", "many_rows", "many_errors", "many_requests", "long_vectors",
            "forged_lengths", "thread_execs"}
HOSTILE = {
    "held memory": ["unreadable", "memory", "DIRECTORY", NOBODY],
    "exec that never ends": ["unreadable", "exec", "DIRECTORY", NOBODY],
    "a hundred thousand words": [*AS_NOBODY, "sh", "-c", "echo ready; read line", *[""] * WORDS],
    "words of a megabyte": [*AS_NOBODY, "sh", "-c", "echo ready; read line", *["a" * 100_000] * 10],
    "messages of a million buffers": [*BECOME, "long_vectors", "forever"],
    "lengths that are forged": [*BECOME, "forged_lengths"],
    "requests beyond number": [*BECOME, "many_requests", 8192, "forever"],
    "errors of all kinds": [*AS_NOBODY, "many_errors", 64, 511],
    "threads that exec": [*BECOME, "thread_execs", 100],
    "more rows than there is room for": [*AS_NOBODY, "many_rows", PROCESSES],
}


# Attackers beside which every count stays exact, except those that keep a CPU busy.
AT_ONCE = [name for name, words in HOSTILE.items()
           if "rows" not in name and "forever" not in words]


class Everywhere(MountTest):
    needs_bpf = True

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("needs root to become other users")
        self.directory.chmod(0o755)
        self.setcap = self.directory / "zctrace"
        shutil.copy(ZCTRACE, self.setcap)
        subprocess.run([tool("setcap"), "cap_bpf,cap_perfmon=ep", self.setcap], check=True)
        self.for_nobody = self.directory / "nobody"
        self.for_nobody.mkdir()
        os.chown(self.for_nobody, NOBODY, NOBODY)
        # user -> (the words before the program, the program)
        self.users = {"root": ([], ZCTRACE), "setcap": (AS_NOBODY, self.setcap),
                      "ordinary": (AS_NOBODY, ZCTRACE)}

    def attack(self, *names):
        """Starts attackers, and returns their processes."""
        started = []
        for name in names or AT_ONCE:
            directory = self.directory / name.replace(" ", "-")
            directory.mkdir()
            words = [directory if word == "DIRECTORY" else
                     self.program(word) if word in PROGRAMS else word
                     for word in HOSTILE[name]]
            process = self.start(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.wait_for_line(process.stdout, "")  # the first says that all is in place
            started.append(process)
        return started

    def end(self, name, attacker):
        if "forever" in HOSTILE[name]:
            attacker.kill()
        attacker.stdin.close()
        attacker.wait(PATIENCE_S)
        (self.directory / name.replace(" ", "-")).rmdir()

    def assert_small(self, pid):
        for one in [pid, *children(pid)]:
            status = pathlib.Path(f"/proc/{one}/status").read_text()
            if "State:\tZ" in status:  # a helper that has just ended has no memory left
                self.assertNotEqual(one, pid)
                continue
            peak = int(re.search(r"VmHWM:\s*(\d+)", status)[1])
            self.assertLess(peak, MOST_KIB, status)

    def assert_refused(self, user, *words):
        """An ordinary user without capabilities cannot observe, whatever runs beside it."""
        prefix, program = self.users[user]
        done = subprocess.run([*prefix, program, *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def copy(self, number):
        """A dd of the ordinary user, which each zctrace may observe."""
        subprocess.run([*AS_NOBODY, *COPY, f"of={self.for_nobody}/{number}"], check=True,
                       capture_output=True, timeout=PATIENCE_S)

    def assert_counted(self, text):
        report = Report(text)
        (dd,) = [one for one in report.processes if one["name"] == "dd"]
        self.assertEqual(sum(row["bytes"] for row in dd["rows"]
                             if (row["syscall"], row["to"]) == ("write", "file")), BYTES)

    def test_run(self):
        self.attack()
        for user in ("root", "setcap"):
            with self.subTest(user):
                prefix, program = self.users[user]
                report = self.for_nobody / f"{user}.json"
                done = subprocess.run([*prefix, program, "run", "-q", "--json", report, "--",
                                       *COPY, f"of={self.for_nobody}/{user}"], text=True,
                                      capture_output=True, timeout=PATIENCE_S, check=False,
                                      stdin=subprocess.DEVNULL)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_counted(report.read_text())
        self.assert_refused("ordinary", "run", "--", "true")

    def test_attach(self):
        self.attack()
        for user in ("root", "setcap"):
            with self.subTest(user):
                prefix, program = self.users[user]
                path = self.for_nobody / f"{user}.json"
                process = self.start([*prefix, program, "attach", "-a", "--json", path],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                self.wait_for_line(process.stderr, "observing")
                self.copy(user)
                self.assert_small(process.pid)
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=PATIENCE_S)
                self.assertIn(process.returncode, (0, 3))
                self.assert_counted(path.read_text())
        self.assert_refused("ordinary", "attach", "-a", "-d", "1s")

    def start_and_wait(self, *words):
        """Until something has written the first line."""
        process = self.start([ZCTRACE, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        self.wait_for_line(process.stdout, "")
        return process

    def test_each_stays_small_beside_each(self):
        """While it writes reports or answers, and beside more rows than it can have."""
        pid = self.directory / "pid"
        script = f"{' '.join(COPY)} of={self.for_nobody}/run && echo done && read line"
        for name in HOSTILE:
            with self.subTest(name):
                (attacker,) = self.attack(name)
                pid.unlink(missing_ok=True)
                top = Terminal(self, f"sh -c 'echo $$ > {pid}; exec {ZCTRACE} top'")
                exporter = Exporter(self, "-a")
                attach = self.start_and_wait("attach", "-a", "-q", "-i", "500ms", "--json", "-")
                run = self.start_and_wait("run", "-q", "--", "sh", "-c", script)
                top.wait_for("PID")
                for _ in range(3):
                    exporter.scrape()
                for one in (exporter.process.pid, attach.pid, run.pid, int(pid.read_text())):
                    self.assert_small(one)
                top.type("q")
                top.wait_for("status=0")
                top.close()
                exporter.process.terminate()
                self.assertEqual(exporter.process.wait(PATIENCE_S), 0)
                attach.terminate()
                attach.communicate(timeout=PATIENCE_S)
                # It may have waited for a reader of its reports.
                self.assertIn(attach.returncode, (0, -signal.SIGTERM))
                run.communicate("\n", timeout=PATIENCE_S)
                self.assertEqual(run.returncode, 0)
                self.end(name, attacker)

    def test_export_beside_all(self):
        self.attack()
        for user in ("root", "setcap"):
            with self.subTest(user):
                prefix, program = self.users[user]
                exporter = Exporter(self, "-a", prefix=prefix, program=program)
                self.copy(user)
                for _ in range(3):
                    scrape = exporter.scrape()
                self.assertEqual(scrape.sum("zctrace_bytes_total", name="dd", to="file"), BYTES)
                self.assert_small(exporter.process.pid)
                exporter.process.terminate()
                self.assertEqual(exporter.process.wait(PATIENCE_S), 0)
        self.assert_refused("ordinary", "export", "-a", "--listen", "127.0.0.1:0")

    def test_top(self):
        self.attack()
        for user in ("root", "setcap"):
            with self.subTest(user):
                prefix, program = self.users[user]
                terminal = Terminal(self, " ".join(map(str, [*prefix, program, "top"])))
                terminal.wait_for("PID")
                terminal.type("q")
                terminal.wait_for("status=0")
        terminal = Terminal(self, " ".join(map(str, [*AS_NOBODY, ZCTRACE, "top"])))
        terminal.wait_for("status=77")

    def test_mount(self):
        self.attack()
        data = self.file()
        see, _ = self.as_an_ordinary_user()
        for user in ("root", "setcap", "ordinary"):
            with self.subTest(user):
                program = self.users[user][1]
                prefix = [] if user == "root" else see
                report = self.for_nobody / f"{user}.json"
                process = self.start([*prefix, program, "mount", self.source, self.point, "--json",
                                      report], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     text=True)
                self.addCleanup(self.unmount)
                self.wait_for_line(process.stderr, "is mounted at")
                done = subprocess.run([*map(str, prefix), "cat", self.point / "file"], check=True,
                                      capture_output=True, timeout=PATIENCE_S)
                self.assertEqual(done.stdout, data)
                self.assert_small(process.pid)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(PATIENCE_S), 0)
                self.assertGreater(self.sum_of(Report(report.read_text()), "open"), 0)
