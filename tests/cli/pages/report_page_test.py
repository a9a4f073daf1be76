# SPDX-License-Identifier: MIT
"""`--html` of run and attach: what the page shows is what the JSON says."""

import json
import pathlib
import subprocess
import sys

from browser import bytes_text, count_text
from pages.page_case import MEBIBYTE, PageCase
from report import reports_of
from servers import Attached

MOVING = ("copied", "in_kernel", "lent")


class ReportPage(PageCase):
    def moved(self, report):
        return sum(row["bytes"] for row in report.totals["rows"] if row["copy"] in MOVING)

    def test_figures_are_those_of_the_json(self):
        source = self.file()
        report = self.run_page("dd", f"if={source}", f"of={self.directory}/copy", "bs=64K")
        totals = report.totals
        self.assertEqual(self.figure("delivered_bytes"), bytes_text(totals["delivered_bytes"]))
        self.assertEqual(self.figure("syscalls"), count_text(totals["syscalls"]))
        self.assertEqual(self.figure("switches"), count_text(totals["voluntary_switches"]
                                                             + totals["involuntary_switches"]))
        self.assertIn("dd delivered 3.0 MiB", self.browser.text("h1"))
        self.assertIn("0 events lost", self.browser.text(".subline"))

    def test_every_row_and_process_is_listed(self):
        source = self.file()
        report = self.run_page("sh", "-c", f"cat {source} | wc -c", options=["-e", "%all"])
        self.show_all("rows")
        shown = {(row["call"], row["from → to"].split(" (")[0]): row
                 for row in self.browser.table("rows")}
        self.assertEqual(len(shown), len(report.totals["rows"]))
        for row in report.totals["rows"]:
            moves = row["copy"] != "none"
            line = shown[row["syscall"], f"{row['from']} → {row['to']}" if moves else "–"]
            self.assertEqual(line["calls"], count_text(row["calls"]))
            self.assertEqual(line["bytes"], bytes_text(row["bytes"]) if moves else "–")
        processes = {int(row["PID"]): row for row in self.browser.table("processes")}
        self.assertEqual(processes.keys(), {process["pid"] for process in report.processes})
        for process in report.processes:
            line = processes[process["pid"]]
            self.assertEqual(line["process"], process["name"])
            self.assertEqual(line["delivered"], bytes_text(process["delivered_bytes"]))
            self.assertEqual(line["calls"], count_text(process["syscalls"]))
            self.assertEqual(line["end"], f"exit {process['exit_code']}")

    def test_ribbons_have_the_bytes_of_the_rows(self):
        source = self.file()
        report = self.run_page("dd", f"if={source}", f"of={self.directory}/copy", "bs=64K")
        self.assertEqual(sum(moved for _, moved in self.ribbons()), self.moved(report))

    def test_ribbons_join_names_with_by_file(self):
        source = self.file("source.bin")
        code = ("import os, sys\n"
                "source = os.open(sys.argv[1], os.O_RDONLY)\n"
                "sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\n"
                "print(os.sendfile(sink, source, 0, 1 << 30))\n")
        report = self.run_page(sys.executable, "-S", "-E", "-s", "-c", code, source,
                               self.directory / "sink.bin", options=["--by", "file"])
        self.assertEqual(sum(moved for _, moved in self.ribbons()), self.moved(report))
        labels = self.browser.attributes(".ribbon[data-via=sendfile]", "aria-label")
        self.assertEqual(len(labels), 1)
        self.assertIn(f"from {source} to {self.directory}/sink.bin", labels[0])
        self.assertIn(bytes_text(source.stat().st_size), labels[0])
        paths = {row["file"] for row in self.browser.table("files")}
        self.assertTrue(any(path.endswith("sink.bin") for path in paths), paths)

    def test_a_pipe_that_bytes_are_spliced_through_is_on_the_way(self):
        source = self.file("source.bin")
        code = ("import os, sys\n"
                "source = os.open(sys.argv[1], os.O_RDONLY)\n"
                "sink = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)\n"
                "take, put = os.pipe()\n"
                "while moved := os.splice(source, put, 65536):\n"
                "    while moved: moved -= os.splice(take, sink, moved)\n")
        report = self.run_page("/usr/bin/python3", "-S", "-E", "-s", "-c", code, source,
                               self.directory / "sink.bin", options=["--by", "file"])
        self.assertEqual(sum(moved for _, moved in self.ribbons()), self.moved(report))
        spliced = [moved for via, moved in self.ribbons() if via == "splice"]
        self.assertEqual(spliced, [source.stat().st_size] * 2)
        self.assertEqual(len(self.browser.texts(".node.pipe")), 1)

    def test_one_process_can_be_chosen(self):
        source = self.file()
        report = self.run_page("sh", "-c", f"cat {source} | dd of={self.directory}/copy bs=4K")
        (dd,) = [process for process in report.processes if process["name"] == "dd"]
        self.browser.run("const select = document.querySelector('#flow select');"
                         "select.value = String(arguments[0]);"
                         "select.dispatchEvent(new Event('change'));", dd["pid"])
        self.browser.settle()
        self.assertEqual(sum(moved for _, moved in self.ribbons()),
                         sum(row["bytes"] for row in dd["rows"] if row["copy"] in MOVING))
        self.assert_quiet()

    def test_what_is_not_known_is_not_zero(self):
        report = self.run_page("cat", self.file(), options=["--no-latency"],
                               stdout=subprocess.DEVNULL)
        self.assertEqual({row["time"] for row in self.browser.table("rows")}, {"unknown"})
        self.assertIsNone(report.totals["disk_read_bytes"])
        self.assertEqual(self.figure("disk_read_bytes"), "unknown")
        self.assertIn(report["unknown"]["disk_read_bytes"],
                      self.browser.text("#figure-disk_read_bytes .note"))

    def test_attached_processes_and_the_comparison_with_the_kernel(self):
        reader = self.start([sys.executable, "-S", "-c",
                             "import os, sys\n"
                             "sys.stdin.readline()\n"
                             "file = os.open(sys.argv[1], os.O_RDONLY)\n"
                             "while os.read(file, 65536): pass\n"
                             "sys.stdin.readline()\n", self.file()], stdin=subprocess.PIPE)
        attached = Attached(self, "-p", reader.pid, "--verify-counts", "--html", self.page)
        reader.stdin.write(b"\n")
        reader.stdin.flush()
        counters = pathlib.Path(f"/proc/{reader.pid}/io")
        self.wait_until(lambda: int(counters.read_text().split()[1]) > 3 * MEBIBYTE,
                        "the file is read")
        report = attached.detach()
        self.json.write_text(json.dumps(report.json))
        self.open()
        self.assertIn("delivered nothing", self.browser.text("h1"))
        self.assertEqual(self.figure("syscalls"), count_text(report.totals["syscalls"]))
        verification = report["completeness"]["verification"]
        self.assertIn("Equal" if verification["equal"] else "Different",
                      self.browser.text("#verification"))
        cells = self.browser.texts("#verification tbody tr:first-child > *")
        self.assertEqual(cells[:2], ["syscr", count_text(verification["syscr"]["kernel"])])

    def test_intervals_are_drawn_and_added_up(self):
        reader = self.start([sys.executable, "-S", "-c",
                             "import os, time\n"
                             "zeros = os.open('/dev/zero', os.O_RDONLY)\n"
                             "while True: os.read(zeros, 4096); time.sleep(0.01)\n"])
        done = self.zctrace("attach", "-p", reader.pid, "-d", "2", "-i", "0.5", *self.files)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.browser.open(self.page)
        self.assert_quiet()
        intervals = reports_of(self.json)
        self.assertEqual(self.figure("syscalls"), count_text(sum(report.totals["syscalls"]
                                                                 for report in intervals)))
        self.assertEqual(len(self.browser.texts("#timeline .chart")), 3)
        bars = self.browser.attributes("#timeline .chart:first-of-type .hit", "width")
        self.assertEqual(len(bars), len(intervals))
        self.assertEqual(len(self.browser.table("processes")), 1)

    def test_the_profile_shows_every_class_with_samples(self):
        code = ("import os\n"
                "zeros = os.open('/dev/zero', os.O_RDONLY)\n"
                "for _ in range(3000): os.read(zeros, 1 << 20)\n")
        report = self.run_page(sys.executable, "-S", "-c", code, options=["--profile"])
        profile = report.totals["cpu_profile"]
        self.assertGreater(profile["samples"], 0)
        shown = self.browser.texts("#profile .legend li")
        self.assertEqual(len(shown), sum(share > 0 for share in profile["share"].values()))
        self.assertIn(count_text(profile["samples"]), self.browser.text("#profile tbody"))


class Standards(PageCase):
    def test_thousand_processes_are_less_than_two_megabytes(self):
        loop = "i=0; while [ $i -lt 999 ]; do /bin/true; i=$((i + 1)); done"
        report = self.run_page("sh", "-c", loop,
                               options=["--by", "file", "--max-processes", "5000"])
        self.assertEqual(report.process_count, 1000)
        self.assertLess(self.page.stat().st_size, 2_000_000)
        self.assertEqual(len(self.browser.table("processes")), 20)
        self.show_all("processes")
        self.assertEqual(len(self.browser.table("processes")), 1000)

    def test_dark_light_and_print(self):
        self.run_page("cat", self.file(), stdout=subprocess.DEVNULL)
        background = "return getComputedStyle(document.documentElement).backgroundColor"
        light = self.browser.run(background)
        self.browser.set_media(dark=True)
        dark = self.browser.run(background)
        self.assertNotEqual(light, dark)
        self.browser.set_media("print", dark=True)
        self.assertEqual(self.browser.run(background), "rgb(255, 255, 255)")

    def test_a_narrow_page_does_not_scroll_sideways(self):
        self.run_page("cp", self.file(), self.directory / "copy")
        for width in (1600, 760, 360):
            self.browser.set_size(width, 800)
            self.browser.settle()
            self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), width)

    def test_the_keyboard_reaches_ribbons_and_sorts_tables(self):
        self.run_page("cp", self.file(), self.directory / "copy")
        self.browser.run("document.querySelector('.ribbon').focus()")
        self.assertIn("CPU copies a byte", self.browser.text(".tooltip.open"))
        self.browser.press("\ue00c")  # Escape
        self.assertIsNone(self.browser.text(".tooltip.open"))
        self.browser.run("document.querySelector('#rows thead button').focus()")
        self.browser.press("\ue007")  # Enter
        self.assertEqual(self.browser.attributes("#rows thead th", "aria-sort")[0], "ascending")
        calls = [row["call"] for row in self.browser.table("rows")]
        self.assertEqual(calls, sorted(calls))

    def test_scripts_of_others_do_not_run(self):
        self.run_page("true")
        self.browser.run("const script = document.createElement('script');"
                         "script.textContent = 'window.injected = true';"
                         "document.body.append(script);")
        self.assertIsNone(self.browser.run("return window.injected ?? null"))
        self.assertIn("Content Security Policy", " ".join(self.browser.messages()))

    def test_filter_finds_a_process(self):
        script = self.directory / "script"
        script.write_text("for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done; date >/dev/null\n")
        self.run_page("sh", script)
        self.browser.run("const input = document.querySelector('#processes input');"
                         "input.value = 'date'; input.dispatchEvent(new Event('input'));")
        self.assertEqual([row["process"] for row in self.browser.table("processes")], ["date"])

    def test_standard_output(self):
        done = self.zctrace("run", "--html", "-", "-q", "--", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith("<!DOCTYPE html>"))
        self.assertTrue(done.stdout.endswith("</html>\n"))

    def test_two_formats_in_one_file_are_refused(self):
        done = self.zctrace("run", "--html", self.page, "--json", self.page, "--", "true")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--json and --html both write to", done.stderr)
