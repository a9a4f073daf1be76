# SPDX-License-Identifier: MIT
"""The scenes of the transcripts in README.md and docs/: NAME -> a function that makes the text."""

import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

import cases
import servers
from paths import ZCTRACE, tool
from stage import Caddy, Nginx, Proxied, only, played, run

SIZE = 256 << 20
TABLE = ("SYSCALL", r"\w+ .*->|\w+ .*→", "other")
# Data calls that moved something.
DATA = ("SYSCALL", r"\w+ +(file|user|socket|pipe)\b.* [\d.]*[1-9][\d.]* (B|KiB|MiB)\b")
COMPLETENESS = ("completeness",)
SHARES = ("cpu copies", "kernel-only", "zero-copy share")
SCENES = dict(cases.SCENES)


def scene(name):
    def add(function):
        SCENES[name] = function
        return function
    return add


# No other work takes the CPU away meanwhile: the switches are those of the command.
UNDISTURBED = ("chrt", "--fifo", "1")
SENDER = """\
import os, socket
with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as out:
    with open("original", "rb") as file:
        out.sendfile(file)
"""


def write_original(directory):
    with open(directory / "original", "wb") as original, open("/dev/urandom", "rb") as random:
        for _ in range(SIZE >> 20):
            original.write(random.read(1 << 20))
    os.sync()


@contextlib.contextmanager
def temporary_directory():
    """On a disk: /tmp may be a tmpfs."""
    with tempfile.TemporaryDirectory(prefix="zctrace-transcript-", dir="/var/tmp") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def directory_with_original():
    with temporary_directory() as directory:
        write_original(directory)
        yield directory


@contextlib.contextmanager
def xfs_with_original():
    with temporary_directory() as directory:
        image, place = directory / "image", directory / "mounted"
        place.mkdir()
        with open(image, "wb") as disk:
            disk.truncate(2 * SIZE)
        subprocess.run([tool("mkfs.xfs"), "-q", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        try:
            write_original(place)
            yield place
        finally:
            subprocess.run(["umount", place], check=True)


def command_line(*words):
    return f"$ zctrace run -- {' '.join(words)}\n"


def observed(directory, *words, **options):
    return run([*UNDISTURBED, ZCTRACE, "run", "--", *words], directory, **options)


@scene("proxy")
def what_a_proxy_copies():
    """Which connections, and what could be done better."""
    def play(case):
        case.start_nginx("sendfile on;")
        case.start_proxy()
        return case.attach("haproxy", "big", words=("--by", "peer", "--advise"))

    text = played(Proxied, play)
    advice = text[text.index("What could be done better"):]
    # Without the notes at its end.
    advice = advice[:advice.index("bytes that are read")]
    return ("$ zctrace attach -n haproxy -d 3s --by peer --advise\n"
            + only(text, "KIND", "tcp") + "\n" + only(text, "cpu copies", "zero-copy share")
            + "\n" + advice.replace("\r", ""))


@scene("three-ways")
def one_program_three_ways():
    """Only what does not depend on how busy the machine is."""
    def copied(directory, comment, *words):
        text = observed(directory, *words)
        return f"$ zctrace run -- {' '.join(words)}".ljust(52) + f"# {comment}\n" + only(text, *SHARES)

    with directory_with_original() as directory:
        slow = copied(directory, "read and write", "cp", "--reflink=never", "original", "copy")
        inside = copied(directory, "copy_file_range, on ext4", "cp", "original", "copy")
    with xfs_with_original() as directory:
        shared = copied(directory, "the same command, on XFS", "cp", "original", "copy")
    return "\n".join((slow, inside, shared))


@scene("cp")
def copy_of_a_file():
    words = ("cp", "original", "copy")
    with directory_with_original() as directory:
        text = observed(directory, *words)
    return command_line(*words) + only(
        text, "Report", "exit", r"[\d.]+ m?s CPU[ ,]", r"\d+ voluntary and", "SYSCALL",
        "copy_file_range", "read ", "total", "copied", "in kernel", "delivered", *SHARES)


@scene("reflink")
def clone_of_a_file():
    words = ("cp", "original", "copy")
    with xfs_with_original() as directory:
        text = observed(directory, *words)
    return command_line(*words) + only(text, "SYSCALL", "ioctl:FICLONE", "delivered", *SHARES)


@scene("sendfile")
def file_into_a_socket():
    words = ("python3", "send.py")
    with directory_with_original() as directory, \
            socket.create_server(("127.0.0.1", 0)) as listener:
        (directory / "send.py").write_text(SENDER)

        def drain():
            with listener.accept()[0] as peer:
                while peer.recv(1 << 20):
                    pass

        reader = threading.Thread(target=drain)
        reader.start()
        text = observed(directory, *words,
                        environment={"PORT": str(listener.getsockname()[1])})
        reader.join()
    return command_line(*words) + only(text, "SYSCALL", "sendfile", "delivered", *SHARES)


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
