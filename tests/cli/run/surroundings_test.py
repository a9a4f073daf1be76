# SPDX-License-Identifier: MIT
"""What the command inherits from zctrace, and where its report goes."""

import os
import signal
import subprocess

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE


class Surroundings(TestCase):
    """The command sees the same surroundings as without zctrace."""

    def inside_and_outside(self, *command, **options):
        outside = subprocess.run(command, capture_output=True, text=True, check=True,
                                 timeout=PATIENCE_S, stdin=subprocess.DEVNULL, **options)
        inside = self.zctrace("run", "-q", "--", *command, **options)
        self.assertEqual(inside.returncode, 0, inside.stderr)
        return inside.stdout, outside.stdout

    def test_signals_are_as_before(self):
        inside, outside = self.inside_and_outside("grep", "^Sig[BI]", "/proc/self/status")
        self.assertEqual(inside, outside)

    def test_ignored_signals_stay_ignored(self):
        inside, outside = self.inside_and_outside(
            "sh", "-c", "grep ^SigI /proc/self/status",
            preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN))
        self.assertEqual(inside, outside)

    def test_environment_is_as_before(self):
        inside, outside = self.inside_and_outside("env")
        self.assertEqual(inside, outside)

    def test_limits_are_as_before(self):
        inside, outside = self.inside_and_outside("cat", "/proc/self/limits")
        self.assertEqual(inside, outside)

    def test_capabilities_are_as_before(self):
        inside, outside = self.inside_and_outside("grep", "^Cap", "/proc/self/status")
        self.assertEqual(inside, outside)

    def test_directory_and_mask_are_as_before(self):
        inside, outside = self.inside_and_outside("sh", "-c", "pwd; umask", cwd=self.directory)
        self.assertEqual(inside, outside)

    def test_no_descriptor_of_zctrace_is_inherited(self):
        inside, outside = self.inside_and_outside("ls", "/proc/self/fd")
        self.assertEqual(inside, outside)

    def test_other_descriptors_are_inherited(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        done = subprocess.run([ZCTRACE, "run", "-q", "--", "sh", "-c", f"echo deep >/dev/fd/{writer}"],
                              pass_fds=[writer], timeout=PATIENCE_S, check=False)
        os.close(writer)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(os.read(reader, 64), b"deep\n")

    def test_process_group_is_as_before(self):
        inside = self.zctrace("run", "-q", "--", "sh", "-c", "ps -o pgid= -p $$")
        self.assertEqual(int(inside.stdout), os.getpgid(0))

    def test_closed_pipe_ends_a_command_as_before(self):
        # `yes` dies of SIGPIPE, unless it inherited an ignored SIGPIPE.
        pipeline = f"{{ {ZCTRACE} run -q -- yes; echo $? >&2; }} | head -n 1"
        done = subprocess.run(["sh", "-c", pipeline], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)
        self.assertEqual((done.stdout, done.stderr), ("y\n", f"{128 + signal.SIGPIPE}\n"))


class Outputs(TestCase):
    """Reports that cannot be written."""

    def test_json_path_is_tried_before_the_command_starts(self):
        ran = self.directory / "ran"
        for option in ("--json", "--csv", "--markdown"):
            for path in ("/nonexistent/report", self.directory):
                with self.subTest(option=option, path=path):
                    done = self.zctrace("run", option, path, "--", "touch", ran)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(str(path), done.stderr)
                    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                    self.assertFalse(ran.exists())

    def test_second_path_that_fails_leaves_no_first_file(self):
        first = self.directory / "first"
        done = self.zctrace("run", "--json", first, "--csv", "/nonexistent/report", "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertFalse(first.exists())

    def closed_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        return writer

    def test_report_into_a_closed_pipe(self):
        done = self.zctrace("run", "-q", "--json", "-", "--", "true", stdout=self.closed_pipe())
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "")

    def test_table_into_a_closed_pipe(self):
        path = self.directory / "report.json"
        done = self.zctrace("run", "--json", path, "--", "true", stderr=self.closed_pipe())
        self.assertEqual(done.returncode, 1)

    def test_table_into_a_full_device(self):
        with open("/dev/full", "w") as full:
            done = self.zctrace("run", "--", "true", stderr=full)
        self.assertEqual(done.returncode, 1)

    def test_standard_streams_closed(self):
        ran = self.directory / "ran"
        done = subprocess.run(["sh", "-c", f"exec {ZCTRACE} run -q -- touch {ran} <&- >&- 2>&-"],
                              timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(ran.exists())
