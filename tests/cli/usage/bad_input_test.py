# SPDX-License-Identifier: MIT
"""Invalid options, and names with control characters."""

import csv
import io
import shutil

from harness import TestCase
from report import Report


class Usage(TestCase):
    """Exit status 2, a line that names the error, and a usage line."""

    needs_bpf = False

    def assert_usage_error(self, *words, names=None):
        done = self.zctrace(*words)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        first, second = done.stderr.splitlines()
        self.assertTrue(first.startswith("zctrace: "), first)
        self.assertTrue(second.startswith("Usage: zctrace "), second)
        if names:
            self.assertIn(names, first)

    def test_unknown_command(self):
        self.assert_usage_error("nosuchcommand", names="nosuchcommand")

    def test_unknown_option(self):
        self.assert_usage_error("--nosuchoption", names="--nosuchoption")

    def test_run_without_a_command(self):
        self.assert_usage_error("run", names="no command")
        self.assert_usage_error("run", "--", names="no command")
        self.assert_usage_error("run", "-q", names="no command")

    def test_run_with_an_unknown_option(self):
        self.assert_usage_error("run", "--nosuchoption", "--", "true", names="--nosuchoption")
        self.assert_usage_error("run", "-c", "--", "true", names="-c")

    def test_word_before_the_separator(self):
        self.assert_usage_error("run", "true", "--", "true", names="true")

    def test_option_without_its_value(self):
        for option in ("--json", "--csv", "--markdown", "--by", "--syscalls"):
            with self.subTest(option=option):
                self.assert_usage_error("run", option, names=option)

    def test_unknown_group(self):
        self.assert_usage_error("run", "--by", "colour", "--", "true", names="colour")

    def test_unknown_syscall(self):
        for name in ("nosuchcall", "%nosuchgroup", "io_uring:nosuchop", "0", "READ"):
            with self.subTest(name=name):
                done = self.zctrace("run", "-e", name, "--", "true")
                self.assertEqual(done.returncode, 2)
                self.assertIn(name, done.stderr)

    def test_usage_line_of_an_unknown_syscall(self):
        self.assert_usage_error("run", "-e", "nosuchcall", "--", "true", names="nosuchcall")

    def test_doctor_takes_no_words(self):
        self.assert_usage_error("doctor", "now", names="now")

    def test_control_characters_are_shown_harmlessly(self):
        done = self.zctrace("\x1b[31mevil\nline")
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("\x1b", done.stderr)


EVIL = ["new\nline", "carriage\rreturn", "tab\t", "\x1b[31mred\x1b[0m", "bell\a", "quote\"s",
        "apo's", "com,ma", "pi|pe", "back\\slash", "`tick`", "<b>bold</b>", "*star*", "_under_", "%s%n{}",
        "\u202eright to left", "zero\u200bwidth", "\udcff\udcfe not UTF-8", "wide 漢字 😀",
        "", " "]


class EvilNames(TestCase):
    """No name of a command or a file breaks a report."""

    def observe_all_views(self, *command):
        paths = {name: self.directory / f"report.{name}" for name in ("json", "csv", "markdown")}
        words = [word for name, path in paths.items() for word in (f"--{name}", path)]
        done = self.zctrace("run", *words, "--", *command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.report = Report(paths["json"].read_text(encoding="utf-8"))
        return done.stderr, paths["csv"].read_text(encoding="utf-8"), \
            paths["markdown"].read_text(encoding="utf-8")

    def assert_harmless(self, text):
        hidden = [character for character in text
                  if character != "\n" and (not character.isprintable())]
        self.assertEqual(hidden, [], text)

    def assert_views_are_whole(self, table, csv_text, markdown):
        self.assert_harmless(table)
        self.assertTrue(table.isascii())
        self.assertTrue(table.startswith("Report on "))
        self.assert_harmless(csv_text)
        rows = list(csv.reader(io.StringIO(csv_text)))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        self.assert_harmless(markdown)
        for paragraph in markdown.split("\n\n"):
            lines = [line for line in paragraph.splitlines() if line]
            if not lines or not lines[0].startswith("|"):
                continue
            columns = {line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines}
            self.assertEqual(len(columns), 1, paragraph)

    def test_arguments(self):
        views = self.observe_all_views("true", *EVIL)
        self.assert_views_are_whole(*views)
        shown = [word.encode(errors="surrogateescape").decode(errors="replace") for word in EVIL]
        self.assertEqual(self.report["argv"], ["true", *shown])
        self.assertEqual(self.report.processes[0]["argv"], ["true", *shown])

    def test_names_of_programs(self):
        for name in EVIL:
            if not name.strip():
                continue
            with self.subTest(name=name):
                program = self.directory / name.replace("/", "")
                shutil.copy("/bin/true", program)
                views = self.observe_all_views(program)
                self.assert_views_are_whole(*views)
                comm = name.replace("/", "").encode(errors="surrogateescape")[:15]
                self.assertEqual(self.report.processes[0]["name"].rstrip("\ufffd"),
                                 comm.decode(errors="replace").rstrip("\ufffd"))

    def test_empty_words_at_both_ends(self):
        self.observe_all_views("true", "", "a", "")
        self.assertEqual(self.report.processes[0]["argv"], ["true", "", "a", ""])

    def test_long_command_line(self):
        words = ["true", *(f"{number:07}" for number in range(10_000))]
        table, *_ = self.observe_all_views(*words)
        self.assertEqual(self.report["argv"], words)
        argv = self.report.processes[0]["argv"]
        self.assertEqual(argv[:100], words[:100])
        self.assertTrue(argv[-1].endswith("…"))
        self.assertLess(len(table.splitlines()[0]), 200)

    def test_many_processes_do_not_flood_the_table(self):
        table, *_ = self.observe_all_views(self.program("many_children"))
        self.assertLess(len(table.splitlines()), 60)
        self.assertIn("more", table)
