# SPDX-License-Identifier: MIT
"""`--help`, `--version`, `--json-schema` and how words are split between zctrace and the command."""

import json
import os
import subprocess

from harness import TestCase
from paths import NOBODY, PATIENCE_S, ZCTRACE
from report import Report, schema


class Schema(TestCase):
    needs_bpf = False

    def test_json_schema_is_a_schema(self):
        done = self.zctrace("run", "--json-schema")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        type(schema()).check_schema(json.loads(done.stdout))

    def test_schema_rejects_invalid_reports(self):
        for wrong in ({}, {"schema": "zctrace/2"}, []):
            self.assertFalse(schema().is_valid(wrong))


class Words(TestCase):
    """Where the options end and the command begins."""

    def test_without_separator(self):
        report = self.observe_words("run", "-q", "--json", self.report, "sh", "-c", "exit 0", "-q")
        self.assertEqual(report["argv"], ["sh", "-c", "exit 0", "-q"])

    def test_options_after_the_separator_belong_to_the_command(self):
        report = self.observe_words("run", "-q", "--json", self.report, "--", "echo", "-q",
                                    "--json", "x", "--help", "--", "-e")
        self.assertEqual(report["argv"], ["echo", "-q", "--json", "x", "--help", "--", "-e"])

    def test_empty_words(self):
        report = self.observe_words("run", "-q", "--json", self.report, "--", "echo", "", "a", "")
        self.assertEqual(report["argv"], ["echo", "", "a", ""])

    @property
    def report(self):
        return self.directory / "report.json"

    def observe_words(self, *words):
        done = self.zctrace(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Report(self.report.read_text())


class Help(TestCase):
    needs_bpf = False

    def test_help_of_each_command(self):
        for words in (["--help"], ["run", "--help"], ["doctor", "--help"], ["-h"]):
            with self.subTest(words=words):
                done = self.zctrace(*words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("Usage:", done.stdout)

    def test_version(self):
        for words in (["--version"], ["-V"], ["version"]):
            with self.subTest(words=words):
                done = self.zctrace(*words)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"^zctrace \d+\.\d+\.\d+\n$")

    def test_help_command(self):
        self.assertEqual(self.zctrace("help").stdout, self.zctrace("--help").stdout)
        for command in ("run", "attach", "top", "export", "compare", "mount", "fuse", "doctor"):
            with self.subTest(command=command):
                done = self.zctrace("help", command)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout, self.zctrace(command, "--help").stdout)

    def test_no_words_print_the_help(self):
        done = self.zctrace()
        self.assertEqual((done.returncode, done.stderr), (2, ""))
        self.assertEqual(done.stdout, self.zctrace("help").stdout)

    def test_syscalls_are_listed(self):
        done = self.zctrace("run", "-e", "list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for wanted in ("%copy: ", "%zerocopy: ", "%io: ", "%all: ", " sendfile", " openat"):
            self.assertIn(wanted, done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_help_needs_no_privileges(self):
        if os.geteuid() != 0:
            self.skipTest("becoming another user needs root")
        done = subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", ZCTRACE, "run",
                               "--help"], capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0)
