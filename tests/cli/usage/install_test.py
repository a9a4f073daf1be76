# SPDX-License-Identifier: MIT
"""`make install` and `make uninstall`, into a directory of the test's own."""

import gzip
import os
import pathlib
import subprocess

from definition import definition
from harness import TestCase
from paths import BUILD, PATIENCE_S, ROOT, ZCTRACE, tool

FILES = {
    "bin/zctrace",
    "share/bash-completion/completions/zctrace",
    "share/fish/vendor_completions.d/zctrace.fish",
    "share/zsh/site-functions/_zctrace",
    "lib/systemd/system/zctrace-export.service",
    "share/doc/zctrace/BSD-3-Clause.txt",
    "share/doc/zctrace/GPL-2.0.txt",
    "share/doc/zctrace/ISC.txt",
    "share/doc/zctrace/LICENSE",
    "share/zctrace/grafana/zctrace.json",
    "share/zctrace/prometheus/prometheus.yml",
    "share/zctrace/prometheus/zctrace.rules.yml",
    "share/zctrace/zctrace-2.schema.json",
    "share/zctrace/zctrace-diff-1.schema.json",
    "share/zctrace/zctrace-fuse-1.schema.json",
    "share/zctrace/zctrace-stacks-1.schema.json",
}

# How to ask a shell for the directories where it looks for completions.
LOOKUPS = {
    "share/zsh/site-functions": ["zsh", "-fc", "print -l $fpath"],
    "share/fish/vendor_completions.d": ["fish", "-c", "printf '%s\\n' $fish_complete_path"],
}


def files():
    """With a page for each command."""
    names = [command["name"] for command in definition()["commands"]]
    return FILES | {f"share/man/man1/{'zctrace' if name == 'zctrace' else 'zctrace-' + name}.1.gz"
                    for name in names}


class Install(TestCase):
    needs_bpf = False

    def make(self, target, *variables):
        """Runs a target without building anything, and returns the files below DESTDIR."""
        # The flags of a `make check` around this would name its job server.
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MFLAGS", "DESTDIR", "PREFIX", "UNITDIR", "STRIP")}
        done = subprocess.run([tool("make"), "--old-file=all", f"--old-file={ZCTRACE}", target, f"BUILD={BUILD}",
                               f"DESTDIR={self.directory}/root", *variables], cwd=ROOT,
                              env=environment, capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        root = self.directory / "root"
        return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}

    def run_installed(self, *words):
        return subprocess.run([self.directory / "root/usr/bin/zctrace", *words], text=True,
                              capture_output=True, check=True, timeout=PATIENCE_S).stdout

    def sections(self, program):
        return subprocess.run([tool("readelf"), "--wide", "--section-headers", program], text=True,
                              capture_output=True, check=True, timeout=PATIENCE_S).stdout

    def test_every_file_lies_below_destdir_and_prefix(self):
        self.assertEqual(self.make("install", "PREFIX=/usr"), {f"usr/{name}" for name in files()})

    def test_the_default_prefix_is_usr_local(self):
        self.assertEqual(self.make("install"), {f"usr/local/{name}" for name in files()})

    def test_the_program_is_stripped_and_runs(self):
        self.make("install", "PREFIX=/usr")
        self.assertIn(" .symtab ", self.sections(ZCTRACE))
        for section in (" .symtab ", " .debug_info "):
            self.assertNotIn(section, self.sections(self.directory / "root/usr/bin/zctrace"))
        version = (ROOT / "VERSION").read_text().strip()
        self.assertIn(version, self.run_installed("--version"))

    def test_symbols_stay_if_strip_is_empty(self):
        self.make("install", "PREFIX=/usr", "STRIP=")
        self.assertIn(" .symtab ", self.sections(self.directory / "root/usr/bin/zctrace"))

    def test_the_schema_is_the_one_of_the_repository_and_of_the_program(self):
        self.make("install", "PREFIX=/usr")
        schema = (self.directory / "root/usr/share/zctrace/zctrace-2.schema.json").read_text()
        self.assertEqual(schema, (ROOT / "schema/zctrace-2.schema.json").read_text())
        self.assertEqual(schema, self.run_installed("run", "--json-schema"))

    def test_the_unit_runs_the_installed_program(self):
        self.make("install", "PREFIX=/opt/tools", "UNITDIR=/etc/systemd/system")
        unit = (self.directory / "root/etc/systemd/system/zctrace-export.service").read_text()
        self.assertIn("\nExecStart=/opt/tools/bin/zctrace export ", unit)
        self.assertNotIn("/usr/local", unit)

    def test_man_finds_the_installed_pages(self):
        self.make("install", "PREFIX=/usr")
        pages = self.directory / "root/usr/share/man"
        for page in ("zctrace", "zctrace-run"):
            done = subprocess.run([tool("man"), "-M", pages, "-w", page], text=True, check=False,
                                  capture_output=True, timeout=PATIENCE_S)
            self.assertEqual(done.stdout.strip(), str(pages / "man1" / f"{page}.1.gz"), done.stderr)
        self.assertIn(b".TH ZCTRACE", gzip.decompress((pages / "man1/zctrace.1.gz").read_bytes()))

    def test_the_shells_look_where_the_completions_are(self):
        """Of bash, tests/cli/reference loads the file from the same folder below XDG_DATA_DIRS."""
        environment = {**os.environ, "XDG_DATA_DIRS": "/usr/local/share:/usr/share"}
        for folder, (shell, *words) in LOOKUPS.items():
            with self.subTest(shell=shell):
                found = subprocess.run([tool(shell), *words], env=environment, text=True, check=True,
                                       capture_output=True, timeout=PATIENCE_S).stdout
                self.assertIn(folder, {str(pathlib.PurePath(name).parent) for name in FILES})
                self.assertIn(f"/usr/local/{folder}", found.splitlines())

    def test_uninstall_removes_what_install_installed_and_nothing_else(self):
        self.make("install", "PREFIX=/usr")
        foreign = pathlib.Path(self.directory, "root/usr/bin/other")
        foreign.touch()
        self.assertEqual(self.make("uninstall", "PREFIX=/usr"), {"usr/bin/other"})
        left = {path.name for path in (self.directory / "root").rglob("*")}
        self.assertNotIn("zctrace", left)

    def test_a_second_install_replaces_the_first(self):
        self.make("install", "PREFIX=/usr")
        self.assertEqual(self.make("install", "PREFIX=/usr"), {f"usr/{name}" for name in files()})
