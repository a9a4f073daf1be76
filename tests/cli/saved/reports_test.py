# SPDX-License-Identifier: MIT
"""`zctrace report` prints what was saved as the command printed it."""

import json
import subprocess

from harness import TestCase
from report import Report, schema


class Reports(TestCase):
    def read_again(self, saved, *options):
        done = self.zctrace("report", *options, saved)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def assert_same(self, printed, saved, formats):
        """The table and each of `formats`, option -> file, are made again from the JSON."""
        self.assertEqual(self.read_again(saved), printed)
        self.assertEqual(self.read_again(saved, "-q", "--json", "-"), saved.read_text())
        for option, path in formats.items():
            self.assertEqual(self.read_again(saved, "-q", option, "-"), path.read_text(), option)

    def save(self, *words, table="stdout", status=0):
        """Runs a command of zctrace that saves all formats, and compares each with its copy."""
        saved = self.directory / "saved.json"
        formats = {"--csv": self.directory / "a.csv", "--markdown": self.directory / "a.md"}
        options = [word for pair in formats.items() for word in pair]
        done = self.zctrace(words[0], "--json", saved, *options, *words[1:])
        self.assertEqual(done.returncode, status, done.stderr)
        self.assert_same(getattr(done, table), saved, formats)
        return saved

    def big_file(self):
        path = self.directory / "big"
        path.write_bytes(bytes(3 << 20))
        return path

    def test_of_a_run(self):
        copy = self.directory / "copy"
        for options in ([], ["--by", "process"], ["--by", "thread"], ["--no-latency"], ["-e", "write"],
                        ["--profile"], ["--verify-counts"]):
            with self.subTest(options):
                script = f"cp {self.big_file()} {copy}; cat {copy} | wc -c"
                self.save("run", *options, "--", "sh", "-c", f"({script}) >/dev/null",
                          table="stderr")

    def test_of_files_and_peers(self):
        for by in ("file", "peer", "port"):
            with self.subTest(by):
                copy = self.directory / "copy"
                saved = self.save("run", "--by", by, "--", "sh", "-c",
                                  f"cp {self.big_file()} {copy}; cat {copy} | cat >/dev/null",
                                  table="stderr")
                json_of = json.loads(saved.read_text())
                self.assertTrue(json_of["channels"])
                # The same report by another grouping.
                self.assertIn("big", self.read_again(saved, "--by", "file"))

    def test_of_a_command_that_a_signal_ended(self):
        self.save("run", "--", "sh", "-c", "kill -KILL $$", table="stderr", status=137)

    def test_of_attach(self):
        target = self.start(["sh", "-c", "while :; do cat /etc/passwd >/dev/null; done"])
        saved = self.save("attach", "-p", target.pid, "-d", "300ms")
        self.assertTrue(Report(saved.read_text())["targets"])

    def test_of_intervals(self):
        target = self.start(["sh", "-c", "while :; do cat /etc/passwd >/dev/null; done"])
        self.save("attach", "-p", target.pid, "-d", "350ms", "-i", "100ms")

    def test_of_a_comparison(self):
        saved = self.save("compare", "--size", "1M", "--runs", "3", "--to", "unix", "--methods",
                          "read_write/64K,sendfile/whole,reflink", "--textbook")
        schema().validate(json.loads(saved.read_text()))

    def test_of_a_comparison_over_fuse(self):
        self.save("compare", "--size", "256K", "--runs", "1", "--from", "fuse", "--to", "null",
                  "--methods", "read_write/64K,sendfile/whole")

    def test_asks_for_what_was_counted(self):
        saved = self.directory / "saved.json"
        self.zctrace("run", "-q", "--json", saved, "--", "true")
        done = self.zctrace("report", "--by", "file", saved)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--by file", done.stderr)

    def test_of_standard_input(self):
        saved = self.directory / "saved.json"
        self.zctrace("run", "-q", "--json", saved, "--", "true")
        with saved.open() as file:
            done = self.zctrace("report", "-", stdin=file)
        self.assertEqual(done.stdout, self.read_again(saved))

    def test_says_in_one_line_what_is_wrong(self):
        saved = self.directory / "saved.json"
        self.zctrace("run", "-q", "--json", saved, "--", "true")
        whole = saved.read_text()
        json_of = json.loads(whole)
        json_of["processes"][0]["rows"][0]["calls"] = "many"
        for text, message in ((whole[:len(whole) // 2], "cut off"), ("", "is empty"),
                              (json.dumps(json_of), "processes[0].rows[0].calls must be"),
                              (json.dumps({**json_of, "schema": "zctrace/1"}), "zctrace/1"),
                              ("\x1b[31m{", "line 1, column 1"), ("[" * 100_000, "nested")):
            saved.write_text(text)
            done = self.zctrace("report", saved)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertNotIn("\x1b", done.stderr)
        done = self.zctrace("report", self.directory / "nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file", done.stderr)

    def test_leaves_out_a_line_that_is_cut_off(self):
        saved = self.directory / "saved.json"
        target = self.start(["sh", "-c", "while :; do cat /etc/passwd >/dev/null; done"])
        self.zctrace("attach", "-q", "-p", target.pid, "-d", "350ms", "-i", "100ms", "--json", saved)
        text = saved.read_text()
        saved.write_text(text[:-100])
        done = self.zctrace("report", "-q", "--json", "-", saved)
        self.assertEqual(done.stdout, text[:text.rstrip().rindex("\n") + 1])
        self.assertIn("cut off", done.stderr)


class WithoutRights(TestCase):
    needs_bpf = False

    def test_needs_no_observation(self):
        """What is missing is the file, not a right."""
        done = self.zctrace("report", self.directory / "nothing", stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot open", done.stderr)
