# SPDX-License-Identifier: MIT
"""The scenes of the transcripts in README.md and docs/: NAME -> a function that makes the text."""

import pathlib
import tempfile

import servers
from paths import ZCTRACE
from stage import Caddy, Nginx, only, played, run

SIZE = 256 << 20
TABLE = ("SYSCALL", r"\w+ .*->|\w+ .*→", "other")
# Data calls that moved something.
DATA = ("SYSCALL", r"\w+ +(file|user|socket|pipe)\b.* [\d.]*[1-9][\d.]* (B|KiB|MiB)\b")
COMPLETENESS = ("completeness",)
SHARES = ("cpu copies", "kernel-only", "zero-copy share")
SCENES = {}


def scene(name):
    def add(function):
        SCENES[name] = function
        return function
    return add


@scene("cp")
def copy_of_a_file():
    # On a disk: /tmp may be a tmpfs.
    with tempfile.TemporaryDirectory(prefix="zctrace-transcript-", dir="/var/tmp") as name:
        directory = pathlib.Path(name)
        with open(directory / "original", "wb") as original, open("/dev/urandom", "rb") as random:
            for _ in range(SIZE >> 20):
                original.write(random.read(1 << 20))
        text = run([ZCTRACE, "run", "--", "cp", "original", "copy"], directory)
    return "$ zctrace run -- cp original copy\n" + only(
        text, "Report", "exit", r"[\d.]+ m?s CPU[ ,]", r"\d+ voluntary and", "SYSCALL",
        "copy_file_range", "read ", "total", "copied", "in kernel", "delivered", *SHARES)


def nginx(server, shown=DATA + SHARES, command="", tls=False, main="", words=()):
    """What attach reports of nginx with this configuration while a client requests one file."""
    def play(case):
        if tls:
            case.start_nginx(f"{case.certificate()} {server}", listen="ssl", main=main)
        else:
            case.start_nginx(server, main=main)
        return case.attach("nginx", "big", tls, words)

    return command + only(played(Nginx, play), *shown)


def caddy(name, command=""):
    def play(case):
        case.start_caddy()
        # The first request for a file type also reads the system's table of types.
        servers.fetch(case.port, "small")
        return case.attach("caddy", name)

    return command + only(played(Caddy, play), *DATA, *SHARES)


@scene("nginx-sendfile")
def with_sendfile():
    return nginx("sendfile on;", command="$ zctrace attach -n nginx -d 3s\n",
                 shown=(*TABLE, "PID", r"\d+ +nginx +[1-9]", "copied", "delivered", *SHARES,
                        *COMPLETENESS))


@scene("nginx-copies")
def without_sendfile():
    return nginx("sendfile off;", shown=(*DATA, "copied", "delivered", *SHARES))


@scene("nginx-tls")
def over_tls():
    return nginx("sendfile on;", tls=True)


@scene("nginx-chunks")
def in_chunks():
    return nginx("sendfile on; sendfile_max_chunk 256k;")


@scene("nginx-threads")
def in_threads():
    return nginx("sendfile on; aio threads;", main="thread_pool default threads=4;",
                 words=["--by", "thread"], command="$ zctrace attach -n nginx -d 3s --by thread\n",
                 shown=("PID", r"\d+ +\d+ +nginx +[1-9]", *TABLE))


@scene("caddy-512")
def of_512_bytes():
    return caddy("512", "$ zctrace attach -n caddy -d 3s\n")


@scene("caddy-513")
def of_513_bytes():
    return caddy("513")


@scene("caddy-big")
def of_10_mib():
    return caddy("big")
