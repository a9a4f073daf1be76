# SPDX-License-Identifier: MIT
"""The options that `zctrace export` refuses, and the files of deploy/."""

import itertools
import os
import re
import signal
import socket
import subprocess

from exporters import DEPLOY, Exporter
from harness import TestCase, why_not_observable
from paths import PATIENCE_S, ROOT, ZCTRACE, tool
from processes import children


class Usage(TestCase):
    needs_bpf = False

    def test_port_in_use_is_a_clear_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = self.zctrace("export", "-a", "--listen", address)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"zctrace: cannot listen on {address}: Address already in use; "
                                      "choose another port with --listen\n")

    def test_foreign_address_is_a_clear_error(self):
        done = self.zctrace("export", "-a", "--listen", "192.0.2.1:9435")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot listen on 192.0.2.1:9435: Cannot assign requested address", done.stderr)

    def test_invalid_options_are_usage_errors(self):
        for words in (["-a", "--listen", "9435x"], ["-a", "--listen", "localhost:9435"],
                      ["-a", "--listen", "127.0.0.1:65536"], ["-a", "--listen", "127.0.0.1:80s"],
                      ["-a", "--listen", "[::1:80"], ["-a", "--max-series", "1"], [],
                      ["-a", "-e", "nosuchcall"]):
            with self.subTest(words):
                done = self.zctrace("export", *words)
                self.assertEqual(done.returncode, 2, done.stderr)


class Deploy(TestCase):
    needs_bpf = False

    def run_promtool(self, *words):
        done = subprocess.run([tool("promtool"), *words], cwd=DEPLOY / "prometheus", text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("FAILED", done.stdout + done.stderr)

    def test_prometheus_files(self):
        self.run_promtool("check", "config", "prometheus.yml")
        self.run_promtool("check", "rules", "zctrace.rules.yml")
        self.run_promtool("test", "rules", "zctrace.rules_test.yml")

    def test_systemd_unit(self):
        text = (DEPLOY / "systemd" / "zctrace-export.service").read_text()
        unit = self.directory / "zctrace-export.service"
        unit.write_text(text.replace("/usr/local/bin/zctrace", ZCTRACE))
        done = subprocess.run([tool("systemd-analyze"), "verify", unit], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_systemd_rates_the_unit_as_docs_say(self):
        """A lower number is better. Older systemd knows fewer settings, and rates the rest alike."""
        said = re.search(r"exposure level ([0-9.]+)", (ROOT / "docs" / "security.md").read_text())[1]
        unit = DEPLOY / "systemd" / "zctrace-export.service"
        done = subprocess.run([tool("systemd-analyze"), "security", "--offline=true",
                               f"--threshold={round(float(said) * 10)}", unit], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        if "unrecognized option" in done.stderr:
            self.skipTest("this systemd rates running units only")
        self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)

    def test_systemd_unit_allows_every_syscall_of_export(self):
        def expand(word):
            if not word.startswith("@"):
                return {word}
            text = subprocess.run([tool("systemd-analyze"), "syscall-filter", word], text=True,
                                  capture_output=True, check=True, timeout=PATIENCE_S).stdout
            words = [line.strip() for line in text.splitlines()[1:]]
            return set(itertools.chain.from_iterable(
                expand(word) for word in words if word and not word.startswith("#")))
        allowed = set()
        text = (DEPLOY / "systemd" / "zctrace-export.service").read_text()
        for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
            words = set(itertools.chain.from_iterable(map(expand, line.lstrip("~").split())))
            allowed = allowed - words if line.startswith("~") else allowed | words
        if reason := why_not_observable():
            self.skipTest(reason)
        calls = self.directory / "calls"
        exporter = Exporter(self, "-a", prefix=[tool("strace"), "-f", "-qq", "-o", calls])
        exporter.scrape()
        exporter.scrape_until(
            lambda scrape: scrape.sum("zctrace_observed_processes") > 1, "new processes are found")
        for child in children(exporter.process.pid):
            os.kill(child, signal.SIGTERM)
        exporter.process.wait(PATIENCE_S)
        made = set(re.findall(r"^\d+ +(\w+)\(", calls.read_text(), re.MULTILINE))
        self.assertIn("bpf", made)
        self.assertEqual(made - allowed - {"arch_prctl"}, set())

    def test_daemonset_has_the_capabilities_of_the_unit(self):
        text = (DEPLOY / "kubernetes" / "daemonset.yaml").read_text()
        self.assertIn('add: ["BPF", "PERFMON"]', text)
        self.assertIn("hostPID: true", text)
        unit = (DEPLOY / "systemd" / "zctrace-export.service").read_text()
        self.assertIn("AmbientCapabilities=CAP_BPF CAP_PERFMON\n", unit)
        self.assertIn("CapabilityBoundingSet=CAP_BPF CAP_PERFMON\n", unit)

    def test_image_is_built_with_the_packages_of_the_makefile(self):
        listed = re.search(r"^BUILD_PACKAGES := ((?:.*\\\n)*.*)$",
                           (ROOT / "mk" / "packages.mk").read_text(), re.MULTILINE)[1]
        stage = (DEPLOY / "kubernetes" / "Containerfile").read_text().split("COPY", 1)[0]
        installed = re.search(r"--no-install-recommends ((?:.*\\\n)*.*)$", stage, re.MULTILINE)[1]
        words = lambda text: sorted(text.replace("\\\n", " ").split())
        self.assertEqual(words(installed), words(listed))
