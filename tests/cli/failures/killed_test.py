# SPDX-License-Identifier: MIT
"""zctrace killed and stopped at every stage: targets do not notice, and nothing is left behind.
failures/outputs_test.py does this to its outputs, mount/ to mounts."""

import re
import signal
import subprocess
import urllib.request

from faults import Digest, Faults
from kernel_objects import assert_loaded, bpf_objects_of, wait_until_unloaded
from paths import PATIENCE_S, ZCTRACE
from processes import capabilities_of, children, is_running
from report import Report


class Killed(Faults):
    """SIGKILL at every stage."""

    def check_while_loading(self, command):
        target = Digest(self)
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, ids = self.begin_and_stop(lambda: self.begin(command, target.pid),
                                                   objects)
                target.feed()
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                target.feed()
        target.assert_right()

    def test_attach_while_loading(self):
        self.check_while_loading("attach")

    def test_top_while_loading(self):
        self.check_while_loading("top")

    def test_export_while_loading(self):
        self.check_while_loading("export")

    def test_compare_while_loading(self):
        self.check_while_loading("compare")

    def test_run_while_loading_never_runs_the_command(self):
        ran = self.directory / "ran"
        # A command that outlives the checks of zctrace.
        words = [ZCTRACE, "run", "-q", "--json", self.path, "--", "sh", "-c",
                 f"touch {ran}; exec cat"]
        at_the_gate = 0
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, ids = self.begin_and_stop(
                    lambda: self.start(words, start_new_session=True, stdin=subprocess.PIPE),
                    objects)
                released = capabilities_of(process.pid) != capabilities_of("self")
                process.kill()
                process.wait(PATIENCE_S)
                process.stdin.close()
                self.assert_nothing_left(process, ids)
                if not released:
                    at_the_gate += 1
                    self.assertFalse(ran.exists())
                ran.unlink(missing_ok=True)
        self.assertGreater(at_the_gate, 0)

    def test_while_observing(self):
        target = Digest(self)
        for command in ("attach", "top", "export"):
            with self.subTest(command):
                process = self.begin(command, target.pid)
                self.wait_until_observing(process)
                ids = bpf_objects_of(process.pid)
                assert_loaded(self, ids)
                target.feed()
                process.kill()
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                target.feed()
        target.assert_right()

    def test_compare_while_counting(self):
        process, ids = self.begin_and_stop(lambda: self.begin("compare", None), self.stages()[-1])
        process.kill()
        process.wait(PATIENCE_S)
        self.assert_nothing_left(process, ids)

    def test_run_while_observing_lets_the_command_continue(self):
        target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
        self.wait_until_observing(target.process)
        target.feed()
        ids = bpf_objects_of(target.pid)
        (child,) = children(target.pid)
        target.process.kill()
        target.process.wait(PATIENCE_S)
        wait_until_unloaded(self, ids)
        self.assertTrue(is_running(child))
        target.feed()
        target.assert_right(status=None)
        self.assert_gone(child)

    def test_export_frees_its_port(self):
        target = Digest(self)
        address = "127.0.0.1:0"
        for _ in range(2):
            process = self.start([ZCTRACE, "export", "-p", target.pid, "--listen", address],
                                 stderr=subprocess.PIPE, text=True)
            line = self.wait_for_line(process.stderr, "serving")
            address = re.search(r"http://([\d.:]+)/", line)[1]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://{address}/metrics", timeout=PATIENCE_S) as answer:
                self.assertIn(b"zctrace_build_info", answer.read())
            process.kill()
            process.wait(PATIENCE_S)
        target.assert_right()


class Stopped(Faults):
    """SIGSTOP delays zctrace but not its targets, and nothing is lost meanwhile."""

    def test_attach_while_loading(self):
        target = Digest(self)
        for objects in self.stages():
            with self.subTest(objects=objects):
                process, _ = self.begin_and_stop(lambda: self.begin("attach", target.pid), objects)
                target.feed()
                process.send_signal(signal.SIGCONT)
                self.wait_until_observing(process)
                process.terminate()
                self.assertEqual(process.wait(PATIENCE_S), 0)
                Report(self.path.read_text())
        target.assert_right()

    def test_run_while_loading(self):
        for objects in self.stages():
            with self.subTest(objects=objects):
                target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
                self.begin_and_stop(lambda: target.process, objects)
                target.process.send_signal(signal.SIGCONT)
                target.feed()
                target.assert_right()
                report = Report(self.path.read_text())
                self.assertEqual(report.bytes("read", "pipe", "user"), target.fed)

    def test_attach_while_observing_counts_what_the_target_does_meanwhile(self):
        target = Digest(self)
        target.feed()
        target.wait_until_all_is_read()
        before = target.fed
        process = self.begin("attach", target.pid)
        self.wait_until_observing(process)
        self.stop(process)
        target.feed()
        target.assert_right()
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed - before)
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertEqual(report.process(target.pid)["exit_code"], 0)

    def test_run_while_observing_lets_the_command_end(self):
        target = Digest(self, ZCTRACE, "run", "-q", "--json", self.path, "--")
        self.wait_until_observing(target.process)
        target.feed()
        (child,) = children(target.pid)
        self.stop(target.process)
        target.assert_right(status=None)
        self.assert_gone(child)
        target.process.send_signal(signal.SIGCONT)
        self.assertEqual(target.process.wait(PATIENCE_S), 0)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed)

    def test_top_continues(self):
        target = Digest(self)
        process = self.begin("top", target.pid)
        self.wait_until(lambda: b"sha256sum" in process.screen.text, "top shows the target")
        self.stop(process)
        target.feed()
        process.send_signal(signal.SIGCONT)
        process.screen.type(b"q")
        self.assertEqual(process.wait(PATIENCE_S), 0)
        target.assert_right()

    def test_compare_while_counting(self):
        process, _ = self.begin_and_stop(lambda: self.begin("compare", None), self.stages()[-1])
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        (row,) = Report(self.path.read_text())["methods"]
        self.assertTrue(row["verified"])
        self.assertEqual(row["syscalls"], 2 * (32 << 20) // 4096 + 1)
