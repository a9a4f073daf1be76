# SPDX-License-Identifier: MIT
"""Real shells on a terminal: what Tab makes of a command line."""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import termios
import time

from definition import write_reference
from harness import TestCase
from paths import BUILD, PATIENCE_S, ZCTRACE, tool

# The end of a line, split so that the echo of the typed line does not look like it.
DONE = b"echo do''ne\n"
WIDE = struct.pack("HHHH", 50, 32000, 0, 0)


class TypedShell:
    """An interactive shell that has run `setup`. `all_matches` is the key that puts all completions of
    the word before it into the line."""

    def __init__(self, test, command, setup, all_matches, environment):
        self.all_matches = all_matches
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(test.directory)
            os.execve(command[0], command, {**os.environ, **environment, "TERM": "dumb"})
        test.addCleanup(self.close)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, WIDE)
        self.type(setup.encode() + b"\n" + DONE)

    def type(self, keys):
        """Types, and returns what the terminal shows until the line is done."""
        os.write(self.terminal, keys)
        shown, end = b"", time.monotonic() + PATIENCE_S
        while b"\ndone" not in shown:
            if not select.select([self.terminal], [], [], end - time.monotonic())[0]:
                raise AssertionError(f"the shell does not answer: {shown!r}")
            shown += os.read(self.terminal, 65536)
        return shown

    def complete(self, line):
        """The words of the line with all completions of its last word, as the shell reads them."""
        # Ctrl-A and Ctrl-E: the completed line becomes the arguments of printf.
        shown = self.type(line.encode() + self.all_matches + b"\x01printf '<%s>\\n' \x05; " + DONE)
        return [word.decode() for word in re.findall(rb"^<(.*)>\r?$", shown, re.MULTILINE)]

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class ShellCase(TestCase):
    """A class for each shell has complete(), which returns what is offered after a line."""

    needs_bpf = False

    def setUp(self):
        super().setUp()
        write_reference(self.directory / "reference", self.program_described())
        self.environment = {"HOME": str(self.directory), "PATH": f"{BUILD}:{os.environ['PATH']}",
                            "LC_ALL": "C.UTF-8"}

    def program_described(self):
        return ZCTRACE

    def completions(self, shell):
        return self.directory / "reference" / "completions" / shell

    def install(self, shell, folder):
        """Puts the file of a shell where it looks below $XDG_DATA_DIRS."""
        place = self.directory / "share" / folder
        place.mkdir(parents=True)
        for path in self.completions(shell).iterdir():
            path.rename(place / path.name)
        self.environment["XDG_DATA_DIRS"] = f"{self.directory}/share:/usr/share"


class BashCase(ShellCase):
    def complete(self, line):
        if not hasattr(self, "shell"):
            self.install("bash", "bash-completion/completions")
            self.shell = TypedShell(self, [tool("bash"), "--norc", "--noprofile", "-i"],
                                    "source /usr/share/bash-completion/bash_completion", b"\x1b*",
                                    self.environment)
        return offered(self.shell.complete(line), line)


class ZshCase(ShellCase):
    def complete(self, line):
        if not hasattr(self, "shell"):
            directory = shlex.quote(str(self.completions("zsh")))
            setup = (f"PROMPT_EOL_MARK=; unsetopt prompt_cr; bindkey -e; fpath=({directory} $fpath); "
                     "autoload -Uz compinit; compinit -u -D; "
                     "zstyle ':completion:*' completer _all_matches _complete; "
                     "zstyle ':completion:*' insert true")
            self.shell = TypedShell(self, [tool("zsh"), "-f", "-i"], setup, b"\t", self.environment)
        return offered(self.shell.complete(line), line)


class FishCase(ShellCase):
    def complete(self, line):
        if "XDG_DATA_DIRS" not in self.environment:
            self.install("fish", "fish/vendor_completions.d")
        done = subprocess.run([tool("fish"), "-c", "complete -C $argv[1]", line], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S,
                              cwd=self.directory, env={**os.environ, **self.environment})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [shown.split("\t")[0] for shown in done.stdout.splitlines()]


def offered(words, line):
    """The completions alone: without the words before the last one, and without a last one that has
    none."""
    typed = shlex.split(line)
    last = "" if line.endswith(" ") else typed.pop()
    found = words[len(typed):]
    return [] if found in ([], [last]) else found
