# SPDX-License-Identifier: MIT
"""What every scene needs: a directory, a terminal of a known width, and servers that end with it."""

import os
import pathlib
import pty
import re
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cli"))

import harness  # noqa: E402
import servers  # noqa: E402
from paths import PATIENCE_S, ZCTRACE, tool  # noqa: E402

COLUMNS = 96


class Recording:
    """A command in a terminal of COLUMNS columns; its output is text without escape sequences."""

    def __init__(self, words, directory, environment=None, **options):
        self.master, slave = pty.openpty()
        subprocess.run(["stty", "cols", str(COLUMNS), "rows", "50", "-onlcr"], stdin=slave,
                       check=True)
        variables = {**os.environ, "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "TERM": "xterm",
                     **(environment or {})}
        self.process = subprocess.Popen(words, cwd=directory, stdin=slave, stdout=slave,
                                        stderr=slave, env=variables, **options)
        os.close(slave)
        self.text = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while True:
            try:
                some = os.read(self.master, 1 << 16)
            except OSError:  # EIO: no process has the terminal open
                return
            if not some:
                return
            self.text += some

    def finish(self):
        """The whole output once the command has ended without an error."""
        status = self.process.wait(PATIENCE_S)
        self.reader.join()
        os.close(self.master)
        text = self.text.decode()
        if status != 0:
            raise SystemExit(f"transcripts: {self.process.args} ended with {status}:\n{text}")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def run(words, directory, **options):
    return Recording(words, directory, **options).finish()


def only(text, *beginnings):
    """The lines that begin with one of `beginnings`; of empty lines, one between two others."""
    kept = []
    for line in text.splitlines():
        if any(re.match(each, line.lstrip()) for each in beginnings):
            kept.append(line.rstrip())
        elif not line.strip() and kept and kept[-1]:
            kept.append("")
    return "\n".join(kept).strip("\n") + "\n"


class Attach:
    """zctrace attached to a server by its name, while one file is requested from it."""

    def runTest(self):
        """unittest makes an object only of a class that has a test."""

    def attach(self, server, name, tls=False, words=()):
        recording = Recording([ZCTRACE, "attach", "-n", server, "-d", "3s", *words],
                              self.directory)
        self.wait_until(lambda: b"observing" in recording.text, "zctrace observes")
        (servers.fetch_tls if tls else servers.fetch)(self.port, name)
        return recording.finish()


class Nginx(Attach, servers.NginxTest):
    pass


class Caddy(Attach, servers.CaddyTest):
    pass


class Proxied(Nginx):
    """nginx, and HAProxy before it, which is what is requested from."""

    CONFIGURATION = """
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
listen proxy
  bind 127.0.0.1:{proxy}
  server one 127.0.0.1:{server}
"""

    def start_proxy(self):
        server, self.port = self.port, servers.free_port()
        path = self.directory / "haproxy.cfg"
        path.write_text(self.CONFIGURATION.format(proxy=self.port, server=server))
        errors = self.directory / "haproxy.err"
        with open(errors, "wb") as stream:
            proxy = self.start([tool("haproxy"), "-db", "-f", path], stdout=stream, stderr=stream)
        self.wait_for_server(self.port, proxy, errors)


def played(scene_class, play):
    """Sets a test case up, calls play(case), and ends what it started."""
    harness.TestCase.setUpClass()
    case = scene_class()
    try:
        case.setUp()
        return play(case)
    finally:
        case.doCleanups()
