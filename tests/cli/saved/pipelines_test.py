# SPDX-License-Identifier: MIT
"""The pipelines of docs/pipelines.md, run as they stand there; and what `diff` finds and does not."""

import os
import re
import subprocess
import textwrap

from paths import PATIENCE_S, ROOT, ZCTRACE, tool
from saved.differing import Differing
from servers import NginxTest, free_port

DOCUMENT = ROOT / "docs" / "pipelines.md"
# As `sudo` does for a command that root calls.
SUDO = '#!/bin/sh\nexec "$@"\n'


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def steps(workflow):
    """Name -> script, of the steps of a workflow that run one."""
    return {name: textwrap.dedent(script) for name, script in re.findall(
        r"- name: (.*)\n +run: \|\n((?: {10}.*\n)+)", workflow)}


class Pipeline(Differing):
    def setUp(self):
        super().setUp()
        self.bin = self.directory / "bin"
        self.bin.mkdir()
        (self.bin / "zctrace").symlink_to(ZCTRACE)
        self.script("bin/sudo", SUDO)
        self.environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def script(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run_in(self, directory, *words, status=0):
        done = subprocess.run(words, cwd=directory, env=self.environment, text=True,
                              capture_output=True, check=False, timeout=6 * PATIENCE_S)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done


class Actions(Pipeline):
    def setUp(self):
        super().setUp()
        self.work = self.directory / "work"
        self.work.mkdir()
        (workflow,) = blocks("yaml")
        self.steps = steps(workflow)
        self.assertEqual(list(self.steps), ["Install zctrace", "Measure the base and the change",
                                            "Compare"])
        self.summary = self.directory / "summary.md"
        self.git("init", "-q")
        (self.work / "Makefile").write_text("all:\n")
        self.file = self.work / "big"
        self.file.write_bytes(os.urandom(8 << 20))

    def git(self, *words):
        return self.run_in(self.work, "git", "-c", "user.name=x", "-c", "user.email=x@y", *words)

    def commit(self, block):
        program = self.work / "backup"
        program.write_text(f'#!/bin/sh\nexec dd if="$1" of="$2" bs={block} status=none\n')
        program.chmod(0o755)
        self.git("add", "backup", "Makefile")
        self.git("commit", "-q", "--allow-empty", "-m", f"blocks of {block}")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def pull_request(self, base, head, status):
        self.environment |= {"BASE": self.commit(base), "HEAD": self.commit(head),
                             "GITHUB_STEP_SUMMARY": str(self.summary)}
        for name, expected in (("Measure the base and the change", 0), ("Compare", status)):
            done = self.run_in(self.work, "bash", "-e", "-c", self.steps[name], status=expected)
        return done

    def test_a_change_that_makes_more_calls_fails(self):
        done = self.pull_request("64K", "4K", status=4)
        self.assertIn("'per_gb.syscalls>+10%' holds", done.stderr)
        self.assertNotIn("cpu_copies_per_byte", done.stderr)
        self.assertIn(r"| row read file-\>user | calls", self.summary.read_text())

    def test_a_change_that_makes_fewer_calls_passes(self):
        done = self.pull_request("4K", "64K", status=0)
        self.assertEqual(done.stderr, "")
        self.assertIn("better", self.summary.read_text())


class NginxRelease(Pipeline, NginxTest):
    def configuration(self, name, sendfile):
        """As small as one can be; the master of the test's own nginx is not needed."""
        path = self.directory / name
        path.write_text(f"pid {self.directory}/pid;\nworker_processes 1;\nevents {{}}\n"
                        "http {\n"
                        "  access_log off;\n"
                        f"  client_body_temp_path {self.directory};\n"
                        f"  sendfile {sendfile};\n"
                        f"  server {{ listen 127.0.0.1:{self.port}; root {self.root}; }}\n"
                        "}\n")
        return path

    def check(self, old, new, status):
        serve, check = blocks("sh")
        self.script("serve-and-load", serve)
        self.script("check-release", check)
        self.port = free_port()
        (self.bin / "nginx").symlink_to(tool("nginx"))
        self.environment["URL"] = f"http://127.0.0.1:{self.port}"
        return self.run_in(self.directory, "./check-release", self.configuration("old.conf", old),
                           self.configuration("new.conf", new), status=status)

    def test_a_release_without_sendfile_fails(self):
        done = self.check("on", "off", status=4)
        self.assertIn("'process nginx: zero_copy_share<-1%' holds", done.stderr)
        self.assertIn("'process nginx: cpu_copies_per_byte>+5%' holds", done.stderr)
        self.assertIn("process nginx", done.stdout)

    def test_a_release_with_sendfile_passes(self):
        done = self.check("off", "on", status=0)
        self.assertIn("better", done.stdout)


class Equal(Differing):
    def test_equal_runs_show_nothing_in_twenty_tries(self):
        source = self.directory / "source"
        source.write_bytes(os.urandom(1 << 20))

        def three(name):
            return ",".join(str(self.save(f"{name}{i}.json", "dd", f"if={source}",
                                          f"of={self.directory}/copy", "bs=64K", "status=none"))
                            for i in range(3))
        before = three("0-")
        for attempt in range(1, 21):
            after = three(f"{attempt}-")
            table = self.diff(before, after, "--fail-if", "cpu_copies_per_byte>+5%",
                              "--fail-if", "per_gb.syscalls>+5%").stdout
            self.assertIn("no significant change", table)
            before = after
