# SPDX-License-Identifier: MIT
"""A terminal for a program under test."""

import contextlib
import os
import pathlib
import re
import subprocess
import tempfile

from paths import PATIENCE_S


class Terminal:
    """A command in a tmux window: the test sees and types what a user would."""

    def __init__(self, test, command, columns=80, rows=24, environment=()):
        self.test = test
        self.socket = pathlib.Path(tempfile.mkdtemp(dir=test.directory)) / "tmux"
        words = " ".join(f"{name}={value}" for name, value in environment)
        # A key that ends the command must not end the shell that shows its status.
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                   f"trap : INT QUIT; {words} {command}; echo status=$?; exec cat")
        test.addCleanup(self.close)

    def _tmux(self, *words):
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        environment.update(LC_ALL="C.UTF-8", TERM="xterm-256color", SHELL="/bin/sh")
        return subprocess.run(["tmux", "-S", str(self.socket), *words], check=True, text=True,
                              capture_output=True, timeout=PATIENCE_S, env=environment).stdout

    def text(self, *options):
        """All text, including what has scrolled away; -J joins wrapped lines."""
        return self._tmux("capture-pane", "-p", "-S", "-", *options)

    def type(self, *keys):
        self._tmux("send-keys", *keys)

    def wait_for(self, *wanted, absent=()):
        """The text once it has all of `wanted` and nothing of `absent`: at other times a program may
        have drawn only half of it."""
        def shown():
            text = self.text()
            return text if (all(re.search(each, text) for each in wanted) and
                            not any(re.search(each, text) for each in absent)) else None

        return self.test.wait_until(shown, f"{wanted!r} without {absent!r} on the terminal")

    def close(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")
