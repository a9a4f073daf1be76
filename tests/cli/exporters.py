# SPDX-License-Identifier: MIT
"""`zctrace export` and its scrapes."""

import re
import signal
import subprocess
import urllib.request

from paths import PATIENCE_S, ROOT, ZCTRACE

DEPLOY = ROOT / "deploy"
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    """One answer of /metrics: (name, labels) -> value."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                key = (name, tuple(sorted(LABEL.findall(labels or ""))))
                assert key not in self.samples, line
                self.samples[key] = float(value)

    def values(self, metric, /, **labels):
        return [value for (found, have), value in self.samples.items()
                if found == metric and labels.items() <= dict(have).items()]

    def sum(self, metric, /, **labels):
        return sum(self.values(metric, **labels))

    def counters(self):
        counters = set(re.findall(r"^# TYPE (\w+) (?:counter|histogram)$", self.text, re.MULTILINE))
        return {key: value for key, value in self.samples.items()
                if re.sub("_(bucket|count|sum)$", "", key[0]) in counters or key[0] in counters}


class Exporter:
    """A running `zctrace export`."""

    def __init__(self, test, *words, prefix=(), program=ZCTRACE, listen="127.0.0.1:0"):
        self.test = test
        self.process = test.start([*prefix, program, "export", *words, "--listen", listen],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = test.wait_for_line(self.process.stderr, "serving")
        self.url = re.search(r"http://\S+", line)[0]
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def scrape(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url, timeout=PATIENCE_S) as answer:
            return Scrape(answer.read().decode())

    def scrape_until(self, condition, what):
        def attempt():
            scrape = self.scrape()
            return scrape if condition(scrape) else None
        return self.test.wait_until(attempt, what)

    def resident_bytes(self):
        return self.scrape().sum("zctrace_self_resident_memory_bytes")

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)
