# SPDX-License-Identifier: MIT
"""The completions in real shells, by the keys that a user presses.

Each test runs in bash, zsh and fish: a class for each is at the end of the file."""

import ctypes
import os
import unittest

from cgroup_tree import cgroup_mount
from definition import definition, options
from shells import BashCase, FishCase, ZshCase

PR_SET_NAME = 15


class Offers(unittest.TestCase):
    """What every shell offers. Subclasses have complete()."""

    def assert_offers(self, line, *wanted, others=()):
        found = self.complete(line)
        for word in wanted:
            self.assertIn(word, found, line)
        for word in others:
            self.assertNotIn(word, found, line)

    def test_commands(self):
        names = [command["name"] for command in definition()["commands"][1:]]
        self.assertIn("attach", names)
        self.assertEqual(sorted(self.complete("zctrace ")), sorted(names))
        self.assertEqual(self.complete("zctrace help do"), ["doctor"])

    def test_every_option_of_every_command(self):
        for command in definition()["commands"][1:]:
            names = [name for option in options(command) for name in option["names"]
                     if name.startswith("--")]
            with self.subTest(command=command["name"]):
                self.assertEqual(sorted(self.complete(f"zctrace {command['name']} --")), sorted(names))

    def test_options_of_the_program(self):
        self.assert_offers("zctrace --", "--help", "--version", others=["--json"])

    def test_every_value_of_every_option_that_has_some(self):
        seen = 0
        for command in definition()["commands"][1:]:
            for option in options(command):
                words = [word for word in option["offers"] if word != "," and word[0] != "@"]
                if not words or not option["names"]:
                    continue
                seen += 1
                line = f"zctrace {command['name']} {option['names'][-1]} "
                with self.subTest(line=line):
                    self.assert_offers(line, *words)
        self.assertGreater(seen, 10)

    def test_only_what_begins_with_the_word(self):
        self.assertEqual(sorted(self.complete("zctrace run --by f")), ["file", "flow"])
        self.assertEqual(self.complete("zctrace attach --by=thr")[-1].removeprefix("--by="), "thread")
        self.assertEqual(sorted(self.complete("zctrace compare --to p")), ["pipe", "pipe:1M"])
        self.assertEqual(self.complete("zctrace compare --to pipe:"), ["pipe:1M"])

    def test_an_option_that_takes_any_number_offers_nothing(self):
        self.assertEqual(self.complete("zctrace attach -d "), [])

    def test_lists_go_on_after_a_comma(self):
        self.assert_offers("zctrace run -e %copy,pread", "%copy,pread64", "%copy,preadv",
                           others=["%copy,read", "pread64"])
        self.assert_offers("zctrace run -e %", "%copy", "%zerocopy", "%io", "%all")
        self.assertEqual(self.complete("zctrace compare --methods read_write,te"), ["read_write,tee"])
        self.assert_offers("zctrace compare --methods spl", "splice")
        self.assert_offers("zctrace compare --buffers 4K,", "4K,64K", "4K,whole")

    def test_processes(self):
        pid = str(os.getpid())
        self.assert_offers("zctrace attach -p ", pid)
        self.assert_offers("zctrace attach -p 1,", f"1,{pid}")
        self.named("zct name")
        self.assert_offers("zctrace top -n ", "zct name")

    def test_no_shell_runs_the_name_of_a_process(self):
        for name in ("$(>pwned)", "`>pwned`", "';>pwned;'", "*", "a;>pwned"):
            with self.subTest(name=name):
                self.named(name)
                self.assert_offers("zctrace attach -n ", name)
                self.assertFalse((self.directory / "pwned").exists())

    def test_cgroups_and_units(self):
        top = cgroup_mount(self) / f"zct-{os.getpid()}.slice"
        unit = top / "web.service"
        for path in (top, unit):
            path.mkdir()
            self.addCleanup(path.rmdir)
        self.assert_offers(f"zctrace attach -G /{top.name}/w", f"/{top.name}/web.service")
        self.assert_offers("zctrace export --unit we", "web.service")
        self.assert_offers("zctrace export --unit zct-", top.name)

    def test_files_and_directories(self):
        (self.directory / "data.json").touch()
        (self.directory / "data.d").mkdir()
        found = [word.rstrip("/") for word in self.complete("zctrace run --json dat")]
        self.assertEqual(sorted(found), ["data.d", "data.json"])
        for line in ("zctrace mount dat", "zctrace mount data.d dat", "zctrace run --mount dat"):
            with self.subTest(line=line):
                self.assertEqual([word.rstrip("/") for word in self.complete(line)], ["data.d"])

    def test_the_reports_to_compare_are_files(self):
        for name in ("data.json", "data.db"):
            (self.directory / name).touch()
        (self.directory / "other").touch()
        for line in ("zctrace diff dat", "zctrace diff data.json dat", "zctrace report dat",
                     "zctrace diff --all --fail-if 'syscalls>5' data.json dat"):
            with self.subTest(line=line):
                self.assertEqual(sorted(self.complete(line)), ["data.db", "data.json"])
        self.assert_offers("zctrace diff ", "data.json", "data.db", "other")

    def test_the_observed_command_is_completed_as_by_itself(self):
        (self.directory / "data.json").touch()
        for line in ("zctrace run -- cat dat", "zctrace run cat dat",
                     "zctrace run -q -e %io --by flow cat dat"):
            with self.subTest(line=line):
                self.assertEqual(self.complete(line), ["data.json"])
        for line in ("zctrace run -- setpri", "zctrace run setpri", "zctrace run --by flow setpri"):
            with self.subTest(line=line):
                self.assertEqual(self.complete(line), ["setpriv"])
        self.assert_offers("zctrace run -- cat -", others=["--json", "--strict"])

    def named(self, name):
        """A process with this name, until the end of the test."""
        def rename():
            ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
            os.read(0, 1)

        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        pid = os.fork()
        if pid == 0:
            os.dup2(reading, 0)
            os.close(writing)
            rename()
            os._exit(0)
        os.close(reading)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, 9)
        self.wait_until(lambda: open(f"/proc/{pid}/comm").read() == f"{name}\n", f"{name} is there")


class Bash(Offers, BashCase):
    pass


class Zsh(Offers, ZshCase):
    pass


class Fish(Offers, FishCase):
    pass


del Offers
