# SPDX-License-Identifier: MIT
"""Outputs that are closed, full or gone: zctrace writes what can be written and reports the rest as
an error; targets do not notice."""

import hashlib
import os
import signal
import subprocess

from faults import COMPARE, LARGE, SMALL, Digest, Faults, FullPipe, is_empty
from kernel_objects import bpf_objects_of, wait_until_unloaded
from paths import PATIENCE_S, ZCTRACE
from processes import writes_to
from report import Report


class WritingTheReport(FullPipe):
    def writing(self, command):
        """zctrace while it waits for a reader of its report, and the reading end of the pipe."""
        reader, writer = self.full_pipe()
        self.addCleanup(reader.close)
        self.target = None
        if command == "attach":
            self.target = Digest(self)
            words = ["attach", "-p", self.target.pid, "-d", "100ms"]
        elif command == "run":
            words = ["run"]
        else:
            words = [*COMPARE, *SMALL]
        words += ["-q", "--json", "-"] + (["--", "true"] if command == "run" else [])
        process = self.start([ZCTRACE, *words], stdout=writer, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
        os.close(writer)
        self.wait_until(lambda: writes_to(process.pid, 1) or process.poll() is not None,
                        "zctrace writes its report")
        return process, reader

    def check_each(self, what_happens):
        for command in ("run", "attach", "compare"):
            with self.subTest(command):
                process, reader = self.writing(command)
                ids = bpf_objects_of(process.pid)
                if self.target:
                    self.target.feed()
                what_happens(process, reader)
                process.wait(PATIENCE_S)
                self.assert_nothing_left(process, ids)
                if self.target:
                    self.target.feed()
                    self.target.assert_right()

    def test_killed(self):
        self.check_each(lambda process, _: process.kill())

    def test_closed_pipe(self):
        def close(process, reader):
            reader.close()
            self.assertEqual(process.wait(PATIENCE_S), 1)
            self.assertNotIn("cannot write", process.stderr.read())

        self.check_each(close)

    def test_stopped_and_continued(self):
        def stop(process, reader):
            self.stop(process)
            process.send_signal(signal.SIGCONT)
            Report(reader.read().decode().lstrip())
            self.assertEqual(process.wait(PATIENCE_S), 0)

        self.check_each(stop)


class FullDisk(Faults):
    """A report that does not fit on the disk is an error, and no half of it is left."""

    def in_small_space(self, command, space):
        """Runs `command` with `space` bytes free in self.directory; returns what is in it then."""
        script = ('mount -t tmpfs -o size=16k none "$1" && head -c "$2" /dev/zero >"$1/filler" &&'
                  ' cd "$1" && shift 2 && { "$@"; echo status=$?; ls; cat report.json 2>&-; }')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.directory,
                               str(16384 - space), ZCTRACE, *map(str, command)], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertIn("status=", done.stdout, done.stderr)
        output, _, rest = done.stdout.partition("status=")
        status, *files = rest.splitlines()
        return int(status), output, files, done.stderr

    def check(self, command, space):
        status, output, files, errors = self.in_small_space(command, space)
        self.assertEqual(status, 1)
        self.assertEqual(files, ["filler"])
        self.assertEqual(errors.splitlines()[-1],
                         "zctrace: cannot write 'report.json': No space left on device")
        return output

    def test_run(self):
        # 4096: the first page fits, the rest does not.
        for space in (0, 4096):
            output = self.check(["run", "-q", "--json", "report.json", "-e", "%all", "--", "seq",
                                 "3"], space)
            self.assertEqual(output, "1\n2\n3\n")

    def test_attach(self):
        target = Digest(self)
        self.check(["attach", "-q", "-p", target.pid, "-d", "100ms", "--json", "report.json"], 0)
        target.feed()
        target.assert_right()

    def test_attach_keeps_the_intervals_that_fit(self):
        target = Digest(self)
        status, _, files, errors = self.in_small_space(
            ["attach", "-q", "-p", target.pid, "-i", "20ms", "--json", "report.json"], 8192)
        self.assertEqual(status, 1)
        self.assertIn("No space left on device", errors)
        self.assertEqual(files[:2], ["filler", "report.json"])
        for line in files[2:]:
            self.assertEqual(Report(line)["command"], "attach")
        target.feed()
        target.assert_right()

    def test_compare(self):
        output = self.check([*COMPARE, *SMALL, "--json", "report.json"], 0)
        # The table is complete nevertheless.
        self.assertIn("read_write", output)

    def test_failed_report_leaves_an_old_file_empty(self):
        script = ('mount -t tmpfs -o size=8k none "$1" && cd "$1" && echo kept >report.json &&'
                  ' head -c 4096 /dev/zero >filler && shift && "$@"; echo $?; wc -c <report.json')
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", self.directory, ZCTRACE,
                               "run", "-q", "--json", "report.json", "-e", "%all", "--", "true"],
                              text=True, capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.stdout.split(), ["1", "0"], done.stderr)


class LimitedFileSize(Faults):
    """A file that must not grow (ulimit -f) is an error like a full disk, and does not kill
    zctrace."""

    def test_each_file_is_one_line_and_none_is_half_written(self):
        script = ('cd "$1" && shift && ulimit -f 2 && "$@"; echo status=$?; ls')
        done = subprocess.run(["bash", "-c", script, "bash", self.directory, ZCTRACE, "run", "-q",
                               "--json", "report.json", "--csv", "report.csv", "-e", "%all", "--",
                               "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do cat /dev/null; done"],
                              text=True, capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.stdout.split(), ["status=1"], done.stderr)
        self.assertEqual(sorted(done.stderr.splitlines()),
                         ["zctrace: cannot write 'report.csv': File too large",
                          "zctrace: cannot write 'report.json': File too large"])

    def test_standard_output(self):
        for arguments in (["doctor"], ["run", "--json-schema"], ["compare", "--help"],
                          ["run", "-e", "list"]):
            with self.subTest(arguments=arguments):
                script = 'ulimit -f 1 && head -c 1023 /dev/zero > "$1" && out=$1 && shift && '
                script += '"$@" >> "$out"; echo status=$?'
                done = subprocess.run(["bash", "-c", script, "bash", self.directory / "out",
                                       ZCTRACE, *arguments], text=True, capture_output=True,
                                      check=False, timeout=PATIENCE_S)
                self.assertEqual(done.stdout.split(), ["status=1"], done.stderr)
                self.assertRegex(done.stderr,
                                 r"^zctrace: cannot write .*standard output.*: File too large\n$")

    def test_the_command_still_has_the_signal(self):
        script = ('cd "$1" && ulimit -f 1 && shift && "$@"; echo status=$?')
        done = subprocess.run(["bash", "-c", script, "bash", self.directory, ZCTRACE, "run", "-q",
                               "--", "dd", "if=/dev/zero", "of=large", "bs=4096", "count=2"],
                              text=True, capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertIn(f"status={128 + signal.SIGXFSZ}", done.stdout, done.stderr)


class FewOpenFiles(Faults):
    def test_one_line_says_how_to_raise_the_limit(self):
        for limit in (8, 12, 16, 20, 30, 50):
            with self.subTest(limit=limit):
                done = subprocess.run(["bash", "-c", f'ulimit -n {limit}; exec "$@"', "bash",
                                       ZCTRACE, "run", "--", "true"], text=True,
                                      capture_output=True, check=False, timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 77, done.stderr)
                self.assertRegex(done.stderr, r"^zctrace: cannot observe: this process may open only "
                                              rf"{limit} files; raise the limit: ulimit -n 256\n$")


class HungUp(Faults):
    """The terminal hangs up. zctrace ends, writes its files, and leaves its targets alone."""

    def hang_up_and_wait(self, process):
        ids = bpf_objects_of(process.pid)
        process.screen.close()
        status = process.wait(PATIENCE_S)
        self.assertGreaterEqual(status, 0, "died of a signal")
        wait_until_unloaded(self, ids)
        self.wait_until(lambda: not list(self.session_of(process.pid)), "all are gone")
        return status

    def check(self, command, target):
        words = [word for word in self.words(command, target.pid) if word != "-q"]
        for objects in self.stages()[1::2]:
            with self.subTest(command, objects=objects):
                process, _ = self.begin_and_stop(lambda: self.begin_in_terminal(words), objects)
                target.feed()
                self.hang_up_and_wait(process)
                target.feed()

    def test_attach(self):
        target = Digest(self)
        self.check("attach", target)
        target.wait_until_all_is_read()
        before = target.fed
        process = self.begin_in_terminal(["attach", "-p", target.pid, "--json", self.path])
        self.wait_until_observing(process)
        target.feed()
        target.wait_until_all_is_read()
        self.hang_up_and_wait(process)
        report = Report(self.path.read_text())
        self.assertEqual(report.bytes("read", "pipe", "user"), target.fed - before)
        target.assert_right()

    def test_top_and_export(self):
        target = Digest(self)
        for command in ("top", "export"):
            self.check(command, target)
            process = self.begin_in_terminal(self.words(command, target.pid))
            self.wait_until_observing(process)
            self.hang_up_and_wait(process)
        target.assert_right()

    def test_compare(self):
        words = ["1000" if word == "1" else word for word in COMPARE]
        process = self.begin_in_terminal([*words, *LARGE])
        self.wait_until(lambda: b"round 1" in process.screen.text, "the first round")
        self.assertEqual(self.hang_up_and_wait(process), 128 + signal.SIGHUP)

    def test_run_reports_on_a_command_that_continues(self):
        sum_path = self.directory / "sum"
        fifo = self.make_fifo()
        process = self.begin_in_terminal(
            ["run", "--json", self.path, "--", "sh", "-c",
             f"trap '' HUP; sha256sum <{fifo} >{sum_path}; echo done >>{sum_path}"])
        self.wait_until_observing(process)
        with open(fifo, "wb") as feed:
            feed.write(b"x" * 100_003)
            feed.flush()
            self.wait_until(lambda: is_empty(feed), "the command has read all")
            ids = bpf_objects_of(process.pid)
            process.screen.close()
            process.wait(PATIENCE_S)
            wait_until_unloaded(self, ids)
            report = Report(self.path.read_text())
            self.assertIsNone(report["exit_code"])
            self.assertEqual(report.bytes("read", "pipe", "user"), 100_003)
            feed.write(b"x" * 100_003)
        self.wait_until(lambda: "done" in sum_path.read_text(), "the command ends")
        self.assertEqual(sum_path.read_text().split()[0],
                         hashlib.sha256(b"x" * 200_006).hexdigest())


class NoStandardError(Faults):
    """Standard error is closed: zctrace continues without its messages."""

    def test_export_still_serves(self):
        target = Digest(self)
        reader, writer = os.pipe()
        os.close(reader)
        process = self.begin("export", target.pid, stderr=writer)
        os.close(writer)
        self.wait_until_observing(process)
        target.feed()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        target.assert_right()

    def test_failed_table_does_not_lose_the_report_file(self):
        with open("/dev/full", "w") as full:
            done = self.zctrace("run", "--json", self.path, "--", "true", stderr=full)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(Report(self.path.read_text())["exit_code"], 0)


class TwoFormatsInOneFile(Faults):
    def test_are_a_usage_error_that_leaves_the_file_alone(self):
        path = self.directory / "report"
        for first, second, file, where in (("--json", "--csv", "-", "standard output"),
                                           ("--csv", "--markdown", path, f"'{path}'")):
            with self.subTest(first):
                done = self.zctrace("run", "-q", first, file, second, file, "--", "true")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stdout, "")
                self.assertEqual(done.stderr.splitlines()[0],
                                 f"zctrace: {first} and {second} both write to {where}; "
                                 "give one of them another file")
        self.assertFalse(path.exists())

    def test_under_two_names_are_one_as_well(self):
        path = self.directory / "report"
        link = self.directory / "link"
        hard = self.directory / "hard"
        link.symlink_to(path)
        for other in (f"{self.directory}/./report", link, hard):
            for exists in (False, True):
                with self.subTest(other=other, exists=exists):
                    path.unlink(missing_ok=True)
                    hard.unlink(missing_ok=True)
                    if exists:
                        path.write_text("kept")
                    if other == hard:
                        path.touch()
                        os.link(path, hard)
                    done = self.zctrace("run", "-q", "--json", path, "--csv", other, "--", "true")
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertEqual(done.stderr.splitlines()[0],
                                     f"zctrace: --json and --csv both write to '{other}'; "
                                     "give one of them another file")
                    if exists:
                        self.assertEqual(path.read_text(), "kept")
        done = self.zctrace("run", "-q", "--json", "/dev/stdout", "--csv", "-", "--", "true")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
