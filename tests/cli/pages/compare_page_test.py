# SPDX-License-Identifier: MIT
"""`--html` of compare and mount."""

import json
import subprocess

from browser import bytes_text, count_text, duration_text
from mounts import MountTest
from pages.page_case import PageCase
from paths import PATIENCE_S, ZCTRACE


LINES = """
return [...document.querySelectorAll('#methods tbody tr')].map((row) => ({
    label: row.querySelector('.method').textContent,
    runs: row.querySelectorAll('.run').length,
    medians: row.querySelectorAll('.median').length,
    cells: [...row.cells].map(
        (cell) => cell.querySelector('.amount')?.textContent ?? cell.textContent)}));
"""


class ComparePage(PageCase):
    def compare(self, *options):
        done = self.zctrace("compare", "--size", "1M", "--runs", "3", *self.files, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.browser.open(self.page)
        self.assert_quiet()
        return json.loads(self.json.read_text())

    def test_verdict_runs_and_counts(self):
        report = self.compare("--methods", "read_write/4K,read_write/64K,sendfile/whole,"
                                           "copy_file_range/whole")
        self.assertEqual(self.browser.text("h1"), report["insights"][0])
        timed = [method for method in report["methods"] if method["supported"]]
        lines = self.browser.run(LINES)
        self.assertEqual([line["label"] for line in lines],
                         [method["label"] for method in report["methods"]])
        by_label = {line["label"]: line for line in lines}
        for method in timed:
            line = by_label[method["label"]]
            self.assertEqual(line["runs"], len(method["wall_ns"]["runs"]))
            self.assertEqual(line["medians"], 1)
            self.assertGreater(method["cpu_ns"], 0)  # also where it cannot be divided
            self.assertEqual(line["cells"][2], duration_text(method["cpu_ns"]))
            self.assertEqual(line["cells"][4], count_text(method["syscalls"]))
            self.assertEqual(line["cells"][5], count_text(method["voluntary_switches"]
                                                          + method["involuntary_switches"]))
            if method["copies"]:
                self.assertEqual(float(line["cells"][3]), round(method["copies"]["per_byte"], 2))
            else:
                self.assertIn("unknown", line["cells"][3])
        (refused,) = [method for method in report["methods"] if not method["supported"]]
        self.assertIn(refused["error"], by_label[refused["label"]]["cells"][1])

    def test_the_textbook_is_beside_the_measurement(self):
        report = self.compare("--textbook", "--methods", "read_write/64K,sendfile/whole")
        rows = self.browser.texts("#textbook tbody th")
        for line in report["textbook"]["lines"]:
            self.assertIn(f"{line['line']}, textbook", rows)
            for measured in line["measured"]:
                self.assertIn(measured["label"], rows)


    def open_saved(self, report):
        """The page of a report as it is."""
        self.json.write_text(json.dumps(report))
        done = self.zctrace("report", "-q", "--html", self.page, self.json)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.browser.open(self.page)
        self.assert_quiet()
        return {line["label"]: line["cells"] for line in self.browser.run(LINES)}

    def test_a_sum_with_a_part_that_is_unknown_is_unknown(self):
        report = self.compare("--from", "fuse", "--fuse-mode", "splice", "--methods", "sendfile/whole,splice/64K")
        whole, part = report["methods"][:2]
        self.assertGreater(part["daemon"]["cpu_ns"], 0)
        for name in ("cpu_ns", "user_ns", "system_ns"):
            part["daemon"][name] = None
        part["involuntary_switches"] = None
        lines = self.open_saved(report)
        self.assertEqual(lines[whole["label"]][2], duration_text(whole["cpu_ns"] + whole["daemon"]["cpu_ns"]))
        self.assertIn("that of the FUSE daemon was not measured", lines[part["label"]][2])
        self.assertIn("unknown", lines[part["label"]][5])
        # The sender's own, as reports without cpu_ns have it.
        for name in ("cpu_ns", "user_ns", "system_ns"):
            whole.pop(name)
        self.assertIn("it was not measured", self.open_saved(report)[whole["label"]][2])
        whole.update(user_ns=2_000_000, system_ns=1_000_000)
        self.assertEqual(self.open_saved(report)[whole["label"]][2],
                         duration_text(3_000_000 + whole["daemon"]["cpu_ns"]))

    def test_commands_are_called_so(self):
        done = self.zctrace("compare", "--runs", "3", *self.files, "--", "true", ":::", "sleep", "0.001")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.browser.open(self.page)
        self.assert_quiet()
        self.assertEqual(self.browser.text("#methods h2"), "2 commands, 3 rounds")
        self.assertEqual(self.browser.text("#methods th"), "command")
        self.assertEqual(self.browser.text("#calls h2"), "Calls of each command")
        self.assertNotIn("method", self.browser.text("body main, #page").lower())


class MountPage(PageCase, MountTest):
    def test_files_and_requesters(self):
        point = self.point
        (self.source / "read.bin").write_bytes(b"r" * 300_000)
        mount = self.start([ZCTRACE, "mount", *self.files, self.source, point],
                           stderr=subprocess.PIPE, text=True)
        self.wait_for_line(mount.stderr, "is mounted at")
        (point / "read.bin").read_bytes()
        (point / "written.bin").write_bytes(b"w" * 70_000)
        mount.send_signal(2)
        self.assertEqual(mount.wait(PATIENCE_S), 0)
        report = self.open()
        files = {row["file"]: row for row in self.browser.table("files")}
        self.assertEqual(files["read.bin"]["read"], bytes_text(300_000))
        self.assertEqual(files["written.bin"]["written"], bytes_text(70_000))
        self.assertEqual(files.keys(), {file["path"] for file in report["files"]})
        for file in report["files"]:
            self.assertEqual(files[file["path"]]["requests"], count_text(file["requests"]))
        self.assertEqual(self.figure("bytes_read"), bytes_text(300_000))
        into = sum(moved for via, moved in self.ribbons() if via == "read")
        self.assertEqual(into, 2 * 300_000)  # from the file, and to the process
        requesters = {int(row["PID"]) for row in self.browser.table("requesters")}
        self.assertEqual(requesters, {process["pid"] for process in report.processes
                                      if "fuse" in process})
