# SPDX-License-Identifier: MIT
"""What zctrace may still do while it observes, and which users' processes it shows."""

import os
import pathlib
import re
import shutil
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE, tool
from report import Report
from terminal import Terminal

# Of no other process.
USER = 61358
GROUP = 61359
CAP_SYS_PTRACE = 1 << 19


def status_of(pid):
    return pathlib.Path(f"/proc/{pid}/status").read_text()


def capabilities(pid):
    """All that it has or can have: the sets of every thread."""
    found = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for word in re.findall(r"Cap(?:Inh|Prm|Eff|Amb):\s*(\w+)", status.read_text()):
            found |= int(word, 16)
    return found


class Rights(TestCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("capabilities need root")

    def check_dropped(self, process, kept=0):
        self.wait_until(lambda: capabilities(process.pid) == kept, "zctrace drops capabilities")
        self.wait_until(lambda: "NoNewPrivs:\t1" in status_of(process.pid), "no_new_privs is set")
        self.assertIsNone(process.poll())

    def test_attach_keeps_no_capability(self):
        self.check_dropped(self.start([ZCTRACE, "attach", "-a", "-q"]))

    def test_export_keeps_no_capability(self):
        self.check_dropped(self.start([ZCTRACE, "export", "-a", "--listen", "127.0.0.1:0"],
                                      stderr=subprocess.DEVNULL))

    def test_top_keeps_no_capability(self):
        path = self.directory / "pid"
        Terminal(self, f"sh -c 'echo $$ > {path}; exec {ZCTRACE} top'")
        self.wait_until(lambda: path.exists() and path.read_text(), "top starts")
        self.wait_until(lambda: capabilities(int(path.read_text())) == 0, "top drops capabilities")

    def test_names_need_to_find_executables(self):
        self.check_dropped(self.start([ZCTRACE, "attach", "-q", "-n", "no-such-name", "--wait"]),
                           CAP_SYS_PTRACE)

    def test_sudo_without_a_group_is_refused(self):
        environment = {**os.environ, "SUDO_UID": str(USER)}
        environment.pop("SUDO_GID", None)
        ran = self.directory / "ran"
        done = self.zctrace("run", "--", "touch", ran, env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("SUDO_GID", done.stderr)
        self.assertFalse(ran.exists())
        self.assertEqual(self.zctrace("run", "--as-root", "-q", "--", "touch", ran,
                                      env=environment).returncode, 0)


class FileCapabilities(TestCase):
    """A setcap copy of zctrace that an ordinary user runs."""

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("setcap needs root")
        self.directory.chmod(0o755)
        self.own = self.directory / "zctrace"
        shutil.copy(ZCTRACE, self.own)
        os.chown(self.own, 0, GROUP)
        self.allow(0o755)
        self.mine = self.start([*self.as_user(), "sleep", "1000"])
        self.roots = self.start(["sleep", "1000"])
        for process in (self.mine, self.roots):
            self.wait_until(lambda process=process: pathlib.Path(
                f"/proc/{process.pid}/comm").read_text() == "sleep\n", "it sleeps")

    def allow(self, mode):
        self.own.chmod(mode)
        subprocess.run([tool("setcap"), "cap_bpf,cap_perfmon=ep", self.own], check=True)

    @staticmethod
    def as_user():
        return [tool("setpriv"), f"--reuid={USER}", f"--regid={USER}", f"--groups={GROUP}"]

    def run_own(self, *words):
        return subprocess.run([*self.as_user(), self.own, *map(str, words)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)

    def pids_seen(self, *targets):
        done = self.run_own("attach", "-q", "-d", "200ms", "--json", "-", *targets)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {process["pid"] for process in Report(done.stdout).processes}

    def test_shows_every_user_its_own_processes_only(self):
        for targets in (["-a"], ["-n", "sleep"], ["-G", "/"]):
            pids = self.pids_seen(*targets)
            self.assertIn(self.mine.pid, pids, targets)
            self.assertNotIn(self.roots.pid, pids, targets)
            for pid in pids - {self.mine.pid}:
                self.assertIn(f"\nUid:\t{USER}\t", status_of(pid))

    def test_refuses_the_process_of_another_user(self):
        self.assertEqual(self.pids_seen("-p", self.mine.pid), {self.mine.pid})
        done = self.run_own("attach", "-p", self.roots.pid)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("it belongs to another user", done.stderr)

    def test_newcomers_of_other_users_are_not_shown(self):
        path = self.directory / "out"
        with open(path, "w", encoding="utf-8") as out:
            attached = self.start([*self.as_user(), self.own, "attach", "-a", "--json", "-"],
                                  stdout=out, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(attached.stderr, "observing")
        for prefix in ([], self.as_user()):
            subprocess.run([*prefix, "dd", "if=/dev/zero", "of=/dev/null", "bs=7", "count=101"],
                           check=True, capture_output=True)
        subprocess.run([*self.as_user(), "kill", "-INT", str(attached.pid)], check=True)
        self.assertEqual(attached.wait(PATIENCE_S), 0)
        text = path.read_text()
        names = [one["name"] for one in Report(text[text.index("{"):]).processes]
        self.assertEqual(names.count("dd"), 1)

    def test_a_group_may_observe_all(self):
        self.allow(0o750)
        pids = self.pids_seen("-a")
        self.assertLessEqual({self.mine.pid, self.roots.pid}, pids)

    def test_run_works(self):
        self.assertEqual(self.run_own("run", "-q", "--", "true").returncode, 0)

    def test_doctor_says_whose_processes(self):
        self.assertRegex(self.run_own("doctor").stdout, r"(?m)^ok +processes +only your own")
        self.assertRegex(self.zctrace("doctor").stdout, r"(?m)^ok +processes +those of every user")
