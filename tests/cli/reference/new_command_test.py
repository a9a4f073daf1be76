# SPDX-License-Identifier: MIT
"""A command that is added later is in the man pages and completions by itself, whatever its texts are."""

import json
import subprocess
import unittest

from definition import definition
from paths import PATIENCE_S, tool
from shells import BashCase, FishCase, ZshCase

ODD = "It's in [it]: `>pwned` $(>pwned) $HOME \\ \"so\" 50%"
COMMAND = {
    "name": "again", "summary": "Print it again", "usage": "[OPTIONS] FILE...", "about": [".a 'b'"],
    "groups": [
        {"title": "Arguments", "options": [
            {"names": [], "value": "FILE", "repeatable": True, "meaning": ODD, "offers": ["@file"]}]},
        {"title": "Output", "options": [
            {"names": ["--fail-if"], "value": "'FIGURE OP [+|-]X[%]'", "repeatable": True,
             "meaning": ODD, "offers": []},
            {"names": ["-s", "--style"], "value": "STYLE", "repeatable": False, "meaning": "Choose",
             "offers": ["a b", "it's", "$(>pwned)"]},
            {"names": ["-x"], "value": None, "repeatable": False, "meaning": "Short", "offers": []}]}],
    "lists": [], "examples": [], "runs_a_command": False}


class NewCommand(unittest.TestCase):
    """Subclasses have complete() of a shell."""

    def program_described(self):
        """Prints the definition with one more command."""
        more = {**definition(), "commands": [*definition()["commands"], COMMAND]}
        (self.directory / "definition").write_text(json.dumps(more))
        program = self.directory / "program"
        program.write_text(f"#!/bin/sh\ncat {self.directory}/definition\n")
        program.chmod(0o755)
        return program

    def test_it_is_completed(self):
        for name in ("dat.1", "dat.2"):
            (self.directory / name).touch()
        self.assertEqual(self.complete("zctrace agai"), ["again"])
        self.assertIn("--style", self.complete("zctrace again --"))
        self.assertEqual(sorted(self.complete("zctrace again dat")), ["dat.1", "dat.2"])
        self.assertEqual(sorted(self.complete("zctrace again a b dat")), ["dat.1", "dat.2"])
        self.assertEqual(self.complete("zctrace again --fail-if "), [])
        self.assertEqual(sorted(self.complete("zctrace again -s ")), ["$(>pwned)", "a b", "it's"])
        self.assertFalse((self.directory / "pwned").exists())

    def test_it_has_a_page(self):
        page = self.directory / "reference" / "man" / "zctrace-again.1"
        done = subprocess.run([tool("mandoc"), "-T", "utf8", "-W", "warning", page], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = " ".join(done.stdout.replace("\b", "").split())
        self.assertIn("$HOME", text)
        self.assertIn('.TH ZCTRACE\\-AGAIN 1', page.read_text())
        self.assertIn("zctrace\\-again (1)", (page.parent / "zctrace.1").read_text())


class Bash(NewCommand, BashCase):
    pass


class Zsh(NewCommand, ZshCase):
    pass


class Fish(NewCommand, FishCase):
    pass


del NewCommand
