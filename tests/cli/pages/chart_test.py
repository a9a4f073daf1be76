# SPDX-License-Identifier: MIT
"""The charts of a page: histograms of latency, flame graphs, recordings over time."""

import json
import subprocess

from browser import bytes_text, count_text
from pages.page_case import PageCase
from recordings import query

FRAMES = """
return [...document.querySelectorAll('#flame .frame')].map((frame) => ({
    name: frame.textContent, label: frame.getAttribute('aria-label'),
    width: frame.getBoundingClientRect().width, kind: frame.classList[1]}));
"""


class Histograms(PageCase):
    def test_a_bar_for_each_bucket_as_high_as_its_calls(self):
        report = self.run_page("dd", f"if={self.file()}", f"of={self.directory}/copy", "bs=4K")
        (reads,) = [row for row in report.totals["rows"]
                    if (row["syscall"], row["from"]) == ("read", "file")]
        buckets = reads["latency_ns"]["buckets"]
        heights = self.browser.run("""
            const row = [...document.querySelectorAll('#rows tbody tr')]
                .find((row) => row.textContent.startsWith('readfile'));
            return [...row.querySelectorAll('.bucket')].map((bar) => Number(bar.getAttribute('height')));""")
        self.assertEqual(len(heights), len(buckets))
        calls = [buckets[key] for key in sorted(buckets, key=int)]
        self.assertEqual(heights.index(max(heights)), calls.index(max(calls)))
        self.assertGreater(min(heights), 0)


class Flames(PageCase):
    def setUp(self):
        super().setUp()
        self.stacks = self.directory / "stacks.json"
        self.options = ["--stacks", self.stacks, "--stacks-every", "64K"]

    def frames(self):
        return self.browser.run(FRAMES)

    def test_frames_have_the_bytes_of_the_stacks(self):
        self.run_page("dd", f"if={self.file()}", f"of={self.directory}/copy", "bs=64K",
                      options=self.options)
        stacks = json.loads(self.stacks.read_text())
        self.assertGreater(stacks["samples"], 10)
        self.assertIn(count_text(stacks["samples"]), self.browser.text("#flame .note"))
        frames = {frame["kind"]: frame for frame in self.frames()}
        everything = frames["all"]["width"]
        self.assertAlmostEqual(frames["process"]["width"], everything, delta=1)
        self.assertIn(bytes_text(stacks["bytes"]), frames["process"]["label"])
        reads = sum(stack["samples"] for stack in stacks["stacks"] if stack["syscall"] == "read")
        width = sum(frame["width"] for frame in self.frames()
                    if frame["name"] == "read (file to user)")
        self.assertAlmostEqual(width / everything, reads / stacks["samples"], delta=0.02)

    def test_keyboard_and_search(self):
        self.run_page("sh", "-c", f"cat {self.file()} | dd of={self.directory}/copy bs=64K",
                      options=self.options)
        focused = "return document.activeElement.textContent"
        self.browser.run("document.querySelector('#flame .frame').focus()")
        self.browser.press("\ue013")  # up
        name = self.browser.run(focused)
        self.assertIn(name, ("cat", "dd"))
        self.browser.press("\ue007")  # Enter
        self.assertEqual(self.browser.run(focused), name)
        shown = {frame["name"]: frame for frame in self.frames()}
        self.assertAlmostEqual(shown[name]["width"], shown["all"]["width"], delta=1)
        self.assertEqual({"cat", "dd"} & shown.keys(), {name})
        self.browser.press("\ue00c")  # Escape
        self.assertLessEqual({"cat", "dd"}, {frame["name"] for frame in self.frames()})
        self.browser.run("const input = document.querySelector('#flame input');"
                         "input.value = 'read'; input.dispatchEvent(new Event('input'));")
        found = self.browser.texts("#flame .found")
        self.assertTrue(found)
        self.assertTrue(all("read" in name for name in found))
        self.assertRegex(self.browser.text("#flame .status"), r"^\d+\.\d% of what is shown$")
        self.assert_quiet()

    def test_a_saved_report_and_a_recording_have_the_same_frames(self):
        recording = self.directory / "r.db"
        self.run_page("dd", f"if={self.file()}", f"of={self.directory}/copy", "bs=64K",
                      options=[*self.options, "--record", recording])
        frames = self.frames()
        self.assertGreater(len(frames), 5)
        again = self.directory / "again.html"
        for saved in (self.json, recording):
            with self.subTest(saved=saved.name):
                self.assertEqual(self.zctrace("report", "-q", "--html", again, saved).returncode, 0)
                self.browser.open(again)
                self.assert_quiet()
                self.assertEqual(self.frames(), frames)

    def test_a_recording_of_intervals_has_stacks(self):
        recording = self.directory / "r.db"
        target = self.start(["sh", "-c", f"while :; do cat {self.file()} > /dev/null; done"],
                            stderr=subprocess.DEVNULL)
        done = self.zctrace("attach", "-q", "-p", target.pid, "-d", "1s", "-i", "300ms", *self.options,
                            "--record", recording)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.zctrace("report", "-q", "--html", self.page, recording).returncode, 0)
        self.browser.open(self.page)
        self.assert_quiet()
        self.assertIn("cat", {frame["name"] for frame in self.frames()})

    def test_a_page_without_stacks_has_none(self):
        self.run_page("true")
        self.assertIsNone(self.browser.text("#flame"))


class Recorded(PageCase):
    def assert_draws(self, page, intervals):
        self.browser.open(page)
        self.assert_quiet()
        self.assertEqual(len(self.browser.texts("#timeline .chart")), 3)
        self.assertEqual(len(self.browser.attributes("#timeline .chart:first-of-type .hit", "x")),
                         intervals)

    def test_a_run_and_its_recording_are_drawn_over_time(self):
        path = self.directory / "r.db"
        again = self.directory / "again.html"
        done = self.zctrace("run", "--record", path, "-i", "50ms", *self.files, "--", "sh", "-c",
                            "for i in 1 2 3 4 5 6; do cat /etc/passwd; sleep 0.05; done",
                            stdout=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        (intervals,) = query(path, "SELECT count(*) FROM intervals")
        self.assertGreater(intervals, 2)
        self.assert_draws(self.page, intervals)
        self.assertEqual(self.zctrace("report", "-q", "--html", again, path).returncode, 0)
        self.assert_draws(again, intervals)
        part = self.directory / "part.html"
        (third,) = query(path, "SELECT at_ns / 1000000 + 1 FROM intervals ORDER BY id LIMIT 1 OFFSET 2")
        self.zctrace("report", "-q", "--html", part, "--to", f"{third}ms", path)
        (some,) = query(path, f"SELECT count(*) FROM intervals WHERE at_ns < {third} * 1000000")
        self.assert_draws(part, some)
        # The JSON is what the command wrote, without what only the page needs.
        printed = self.zctrace("report", "-q", "--json", "-", path).stdout
        self.assertEqual(printed, self.json.read_text())
