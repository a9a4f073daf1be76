# SPDX-License-Identifier: MIT
"""`zctrace diff` finds what the upgrade of a library changed in a program that itself stayed the same."""

import sys

from saved.differing import Differing

SIZE = 4 << 20
PROGRAM = "import sys\nsys.path.insert(0, sys.argv[1])\nimport mover\nmover.copy('source', 'sink')\n"
RELEASES = {
    "1.0": """
def copy(source, sink):
    with open(source, "rb", 0) as source, open(sink, "wb", 0) as sink:
        while block := source.read(1 << 16):
            sink.write(block)
""",
    "1.1": """
import os
def copy(source, sink):
    with open(source, "rb", 0) as source, open(sink, "wb", 0) as sink:
        while os.sendfile(sink.fileno(), source.fileno(), None, 1 << 16):
            pass
""",
}


class Upgrades(Differing):
    def setUp(self):
        super().setUp()
        (self.directory / "source").write_bytes(b"x" * SIZE)
        # As it would be in a distribution: programs see a name, the release is behind it.
        self.library = self.directory / "lib"
        for release, text in RELEASES.items():
            (self.directory / release).mkdir()
            (self.directory / release / "mover.py").write_text(text)

    def reports_of(self, release, name):
        self.library.unlink(missing_ok=True)
        self.library.symlink_to(release)
        # -I -S -B: reads and writes nothing of the user's.
        words = [sys.executable, "-I", "-S", "-B", "-c", PROGRAM, self.library]
        paths = []
        for number in range(3):
            path = self.directory / f"{name}{number}.json"
            done = self.zctrace("run", "-q", "--json", path, "--", *words, cwd=self.directory)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((self.directory / "sink").stat().st_size, SIZE)
            paths.append(str(path))
        return ",".join(paths)

    def test_a_release_that_moves_bytes_otherwise(self):
        before, after = self.reports_of("1.0", "a"), self.reports_of("1.1", "b")
        figures = self.figures(before, after)
        kernel_only = figures["totals", "kernel_only_bytes"]
        self.assertEqual((kernel_only["a"], kernel_only["b"]), (0, SIZE))
        self.assertIs(kernel_only["significant"], True)
        self.assertEqual(figures["row sendfile file->file", "bytes"]["b"], SIZE)
        self.assertEqual(figures["row write user->file", "bytes"]["b"], 0)
        copied = figures["totals", "cpu_copied_bytes"]
        self.assertLess(copied["b"], copied["a"])
        done = self.diff("-q", "--fail-if", "cpu_copied_bytes<-25%", before, after, status=4)
        self.assertIn("'cpu_copied_bytes<-25%' holds", done.stderr)

    def test_a_release_that_changed_nothing(self):
        before, after = self.reports_of("1.0", "a"), self.reports_of("1.0", "b")
        for name in ("delivered_bytes", "kernel_only_bytes", "cpu_copied_bytes"):
            figure = self.figures(before, after)["totals", name]
            self.assertEqual((figure["change"], figure["significant"]), (0, False), name)
