# SPDX-License-Identifier: MIT
"""`zctrace compare --programs`: the ready programs move every byte, by the calls of their names."""

import pathlib
import shutil
import subprocess

from comparing import Comparing
from paths import PATIENCE_S, ROOT, ZCTRACE

PROGRAMS = pathlib.Path(ZCTRACE).resolve().parent / "transfers/programs"
CALLS = {"c-read-send/64K": "sendto", "c-mmap-send": "sendto", "c-lease-mmap-send": "sendto",
         "c-sendfile": "sendfile", "c-splice": "splice", "c-vmsplice": "vmsplice", "c-tee": "tee",
         "python-sendfile": "sendfile", "c-sendfile-loop/64K": "sendfile",
         "rust-sendfile64": "sendfile", "rust-nix-sendfile64": "sendfile", "go-file-server": "sendfile",
         "python-copyfile": "sendfile", "java-transfer-to": "sendfile"}


class ReadyPrograms(Comparing):
    def listed(self):
        """Name, sinks and file of each program of the list."""
        for line in (PROGRAMS / "list").read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, sinks, file, _ = line.split(maxsplit=4)
                yield name, sinks.split(","), PROGRAMS / file

    def setUp(self):
        super().setUp()
        if not (PROGRAMS / "list").exists():
            self.skipTest("'make programs' was not run")

    def test_every_program_that_is_built_moves_every_byte(self):
        for sink in ("unix", "tcp", "file"):
            with self.subTest(sink=sink):
                rows, _ = self.compare("--size", "1000003", "--runs", "1", "--to", sink, "--methods",
                                       "none", "--programs", "all", "--buffers", "64K")
                built = {name for name, sinks, file in self.listed() if sink in sinks and file.exists()}
                self.assertEqual({row["method"] for row in rows.values()}, built)
                self.assertIn("c", {name.split("-")[0] for name in built})
                for label, row in rows.items():
                    self.assertIsNone(row["error"], row)
                    self.assertIs(row["verified"], True)
                    self.assertEqual(row["bytes"], 1000003)
                    called = {part["syscall"] for part in row["rows"] if part["bytes"]}
                    if label in CALLS and (sink != "file" or "-sendfile-" in label):
                        self.assertIn(CALLS[label], called, label)
                    if label == "go-io-copy" and sink == "tcp":  # into a Unix socket, Go may copy
                        self.assertIn("sendfile", called)

    def test_a_language_or_a_name_and_what_is_unknown(self):
        rows, _ = self.compare("--size", "64K", "--runs", "1", "--methods", "sendfile/whole", "--programs",
                               "python,c-splice")
        self.assertEqual(set(rows), {"sendfile/whole", "c-splice", "python-sendfile",
                                     "python-copyfileobj"})
        for options, text in ((["--programs", "cobol"], "unknown program or language 'cobol'"),
                              (["--programs", "c-splise"], "did you mean 'c-splice'?"),
                              (["--programs", "c", "--to", "pipe"], "none of them writes to --to pipe")):
            done = self.zctrace("compare", *options)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(text, done.stderr.splitlines()[0])


class Reproduction(Comparing):
    def test_the_page_has_every_program_that_is_built(self):
        if not (PROGRAMS / "list").exists():
            self.skipTest("'make programs' was not run")
        page = self.directory / "page.md"
        done = subprocess.run([ROOT / "scripts/reproduce", ZCTRACE, "1M", "1", page], capture_output=True,
                              text=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = page.read_text()
        disk = text[text.index("## A file on disk"):text.index("## A file on tmpfs")]
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in disk.splitlines()
                if line.startswith("| ")]
        self.assertEqual(rows.pop(0)[0], "program")
        self.assertEqual(len(rows), 11)
        copies = {row[0]: row[-1] for row in rows if "not built" not in row}
        self.assertEqual((copies["read/send 4K"], copies["mmap/send"], copies["sendfile"]),
                         ("2.00", "1.00", "0.00"))
        # nc reads where the published run had it.
        self.assertEqual("the reader is `nc -lU`" in disk, shutil.which("nc.openbsd") is not None)
