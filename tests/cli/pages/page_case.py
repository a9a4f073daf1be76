# SPDX-License-Identifier: MIT
"""Pages of reports, opened in a browser."""

import os
import pathlib
import tempfile

from browser import open_browser
from harness import TestCase
from report import Report

MEBIBYTE = 1 << 20


class PageCase(TestCase):
    """Nothing may be logged, and nothing loaded, by any page that a test opens."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profile = tempfile.TemporaryDirectory(prefix="zctrace-browser-")
        cls.addClassCleanup(cls.profile.cleanup)
        cls.browser = open_browser(pathlib.Path(cls.profile.name))
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.browser.set_media()
        self.browser.set_size(1280, 900)
        self.page = self.directory / "page.html"
        self.json = self.directory / "report.json"
        self.files = ["--html", self.page, "--json", self.json, "-q"]

    def open(self):
        self.browser.open(self.page)
        self.assertEqual(self.browser.attributes("html", "data-ready"), ["true"],
                         self.browser.messages())
        self.assert_quiet()
        return Report(self.json.read_text())

    def assert_quiet(self):
        self.assertEqual(self.browser.messages(), [])
        loaded = "return performance.getEntriesByType('resource').length"
        self.assertEqual(self.browser.run(loaded), 0)

    def file(self, name="big", size=3 * MEBIBYTE + 17):
        path = self.directory / name
        path.write_bytes(os.urandom(size))
        return path

    def run_page(self, *command, options=(), **how):
        """The report of a command whose page is then open."""
        done = self.zctrace("run", *self.files, *options, "--", *command, **how)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.open()

    def show_all(self, section):
        self.browser.run("document.querySelector(`#${arguments[0]} .more:not([hidden])`)?.click()",
                         section)

    def figure(self, name):
        return self.browser.text(f"#figure-{name} .value")

    def ribbons(self):
        """(calls, bytes) of each ribbon of the picture."""
        return list(zip(self.browser.attributes(".ribbon", "data-via"),
                        map(int, self.browser.attributes(".ribbon", "data-bytes"))))
