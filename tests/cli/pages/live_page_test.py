# SPDX-License-Identifier: MIT
"""The page of `export`: what it shows is what /api/report says, and it follows the counts."""

import json
import subprocess
import sys
import urllib.request

from browser import bytes_text, count_text
from exporters import Exporter
from pages.page_case import PageCase
from paths import PATIENCE_S

# Reads and writes as much as it is told, under a name that is markup.
WORKER = ("import ctypes, os, sys\n"
          "ctypes.CDLL(None).prctl(15, b'<img src=x>\"&', 0, 0, 0)\n"
          "zero, pipe = os.open('/dev/zero', os.O_RDONLY), os.open(sys.argv[1], os.O_WRONLY)\n"
          "for line in sys.stdin:\n"
          "    os.write(pipe, os.read(zero, int(line)))\n"
          "    print('moved', flush=True)\n")
SHOWN = "return document.querySelector('#figure-delivered_bytes .value')?.textContent"


class LivePage(PageCase):
    def setUp(self):
        super().setUp()
        self.worker = self.start([sys.executable, "-c", WORKER, self.directory / "sink"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 bufsize=1)

    def move(self, size):
        self.worker.stdin.write(f"{size}\n")
        self.worker.stdin.flush()
        self.wait_for_line(self.worker.stdout, "moved")

    def serve(self):
        (self.directory / "sink").write_bytes(b"")
        self.move(1)  # has its name, and is where it waits
        exporter = Exporter(self, "-p", self.worker.pid)
        return exporter, exporter.url.removesuffix("/metrics")

    def visit(self, url):
        # Before its server ends: the page would log that it does not answer.
        self.addCleanup(self.browser.visit, "about:blank")
        self.browser.visit(url)
        self.wait_until(lambda: self.browser.attributes("html", "data-ready") == ["true"],
                        "the page is drawn")

    def assert_nothing_logged(self):
        self.assertEqual(self.browser.messages(), [])
        loaded = self.browser.run("return performance.getEntriesByType('resource')"
                                  ".map((one) => new URL(one.name).pathname)")
        self.assertEqual(set(loaded), {"/api/report"})

    def report(self, url):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url + "/api/report", timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def wait_until_it_shows(self, url, least):
        """Its figure is that of the report, once that has at least so many bytes."""
        def attempt():
            delivered = self.report(url)["totals"]["delivered_bytes"]
            return delivered >= least and self.browser.run(SHOWN) == bytes_text(delivered)
        self.wait_until(attempt, f"the page shows {least} bytes")

    def test_it_shows_the_report_and_follows_it(self):
        exporter, url = self.serve()
        self.move(300_000)
        self.visit(url)
        self.wait_until_it_shows(url, 300_000)
        self.move(500_000)
        self.wait_until_it_shows(url, 800_000)
        report = self.report(url)
        self.assertEqual(self.figure("syscalls"), count_text(report["totals"]["syscalls"]))
        (process,) = report["processes"]
        self.assertEqual(process["pid"], self.worker.pid)
        self.assertEqual(self.browser.table("processes")[0]["delivered"],
                         bytes_text(process["delivered_bytes"]))
        self.wait_until(lambda: self.browser.text("#timeline"), "there are intervals")
        self.assertEqual(self.browser.attributes("#live a", "href"), ["/metrics", "/api/report"])
        self.assert_nothing_logged()
        self.assertEqual(exporter.end(), 0)
        self.wait_until(lambda: "No answer from zctrace" in self.browser.text("#live-status"),
                        "the page says that the server has ended")

    def test_hostile_names_stay_text(self):
        _, url = self.serve()
        self.move(1000)
        self.visit(url)
        self.assertEqual(self.browser.table("processes")[0]["process"], "<img src=x>\"&")
        self.assertEqual(self.browser.run("return document.querySelectorAll('img').length"), 0)
        self.assert_nothing_logged()

    def test_it_rests_while_it_is_paused_or_used(self):
        _, url = self.serve()
        self.move(1000)
        self.visit(url)
        self.wait_until_it_shows(url, 1000)
        shown = self.browser.run(SHOWN)
        self.browser.run("document.querySelector('#live-switch').click()")
        self.assertEqual(self.browser.text("#live-status"), "Paused.")
        self.move(5000)
        fetched = "return performance.getEntriesByType('resource').length"
        before = self.browser.run(fetched)
        self.browser.run("document.querySelector('#live-switch').click();"
                         "document.querySelector('#rows th button').focus()")
        self.wait_until(lambda: "Waits" in self.browser.text("#live-status"), "it waits")
        self.assertEqual(self.browser.run(fetched), before)
        self.assertEqual(self.browser.run(SHOWN), shown)
        self.browser.run("document.activeElement.blur()")
        self.wait_until_it_shows(url, 6000)
        self.assert_nothing_logged()
