# SPDX-License-Identifier: MIT
"""The man pages: groff, man and mandoc read them without a warning, and they say what --help says."""

import os
import re
import subprocess

from definition import definition, options, write_reference
from harness import TestCase
from paths import PATIENCE_S, tool


def words(text):
    """Without the layout, and without the full stops that only sentences of the page have."""
    return re.sub(r"\s+", "", text).replace(".", "").lower()


def entries_of(help_text):
    """The terms of the help, each with all of its text."""
    entries = []
    for line in help_text.splitlines():
        if re.match(r"  \S|      --", line):
            entries.append(line)
        elif line.startswith("   ") and entries:
            entries[-1] += line
    return entries


class ManPages(TestCase):
    needs_bpf = False

    def setUp(self):
        super().setUp()
        write_reference(self.directory)
        self.pages = sorted((self.directory / "man").iterdir())

    def run_on(self, page, *command):
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}
        done = subprocess.run([tool(command[0]), *command[1:], page], env=environment, text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""), f"{command} {page.name}")
        return done.stdout

    def test_each_command_has_a_page(self):
        names = [command["name"] for command in definition()["commands"]]
        self.assertEqual([page.name for page in self.pages],
                         sorted("zctrace.1" if name == "zctrace" else f"zctrace-{name}.1"
                                for name in names))
        self.assertIn("run", names)

    def test_man_renders_each_page_without_a_warning(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                text = self.run_on(page, "man", "--warnings", "-l")
                for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "SEE ALSO"):
                    self.assertIn(heading, text.splitlines())
                prose = text.partition("\nEXAMPLES\n")[0]
                self.assertLessEqual(max(map(len, prose.splitlines())), 80)

    def test_groff_has_no_warning_of_any_kind(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                self.run_on(page, "groff", "-ww", "-man", "-Tutf8", "-z")

    def test_mandoc_finds_no_mistake(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                self.assertEqual(self.run_on(page, "mandoc", "-T", "lint", "-W", "warning"), "")

    def test_everything_that_help_says_is_in_the_page(self):
        for command in definition()["commands"]:
            name = command["name"]
            page = "zctrace" if name == "zctrace" else f"zctrace-{name}"
            text = words(self.run_on(self.directory / "man" / f"{page}.1", "man", "-l"))
            help_text = self.zctrace(*([] if name == "zctrace" else [name]), "--help").stdout
            entries = entries_of(help_text.split("Examples:")[0])
            self.assertGreaterEqual(len(entries), len(options(command)))
            for entry in entries:
                with self.subTest(page=page, entry=entry):
                    self.assertIn(words(entry), text)
            for example in command["examples"]:
                self.assertIn(words(example["command"]), text)

    def test_what_is_typed_has_no_typographic_characters(self):
        for page in self.pages:
            with self.subTest(page=page.name):
                self.assertEqual(set(re.findall(r"[^\x00-\x7f]", self.run_on(page, "man", "-l"))), set())

    def test_the_date_is_that_of_the_source(self):
        write_reference(self.directory, SOURCE_DATE_EPOCH="86400")
        self.assertIn('.TH ZCTRACE\\-RUN 1 1970-01-02 "zctrace ',
                      (self.directory / "man" / "zctrace-run.1").read_text())
