# SPDX-License-Identifier: MIT
"""The scenes of docs/cases.md. Each shows counts only, which do not depend on how busy the machine is."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import servers
from paths import NOBODY, PATIENCE_S, ZCTRACE, tool
from stage import Attach, Caddy, Nginx, Recording, only, played, run

HERE = pathlib.Path(__file__).parent
SHARES = ("cpu copies", "kernel-only", "zero-copy share")
BYTES = 64 << 20
CADDYFILE = """\
{
    admin off
    auto_https off
}
http://:PORT {
    bind 127.0.0.1
    root * ROOT
    MIDDLEWARE
    file_server
}
"""
HAPROXY = """\
global
    maxconn 16
defaults
    mode tcp
    timeout connect 60s
    timeout client 60s
    timeout server 60s
listen relay
    bind 127.0.0.1:{port}
    server origin 127.0.0.1:{origin}
    {option}
"""
SCENES = {}


def scene(name):
    def add(function):
        SCENES[name] = function
        return function
    return add


def counted(text):
    """The flow of the bytes, the rows that move many, without the columns of times, and the shares."""
    lines = text.splitlines()
    header = next(line for line in lines if line.lstrip().startswith("SYSCALL "))
    end = header.index("COPIES") + len("COPIES")
    start = lines.index(header)
    rows = []
    for line in lines[start:]:
        if not line.strip():
            break
        if line == header or re.search(r"-> .* [\d.]+ [MG]iB |FICLONE", line):
            rows.append(line[:end].rstrip())
    flow = "\n".join(lines[:start]).strip("\n").split("\n\n")[-1]
    return "\n".join([flow, "", *rows, "", *only(text, *SHARES).splitlines()]) + "\n"


def shown(command, text):
    return f"$ {command}\n{text}"


def scene_of_nginx(tls, case_words):
    def play(case):
        if tls:
            case.start_nginx(f"{case.certificate()} sendfile on;", listen="ssl")
        else:
            case.start_nginx("sendfile on;")
        return case.attach("nginx", "big", tls, case_words)
    return played(Nginx, play)


@scene("case-tls")
def share_fell_after_tls():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        directory = pathlib.Path(name)
        before, after = directory / "before.json", directory / "after.json"
        scene_of_nginx(False, ["--json", before])
        scene_of_nginx(True, ["--json", after])
        done = subprocess.run([ZCTRACE, "diff", "--fail-if", "zero_copy_share<90%", "before.json", "after.json"],
                              cwd=directory, capture_output=True, text=True, check=False,
                              timeout=PATIENCE_S, env={**os.environ, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
        if done.returncode != 4:
            raise SystemExit(f"transcripts: diff ended with {done.returncode}:\n{done.stderr}")
    text = only(done.stdout, "OF ", "totals +(cpu_copies_per_byte|per_gb.syscalls|kernel_only_share|zero_copy_share) ")
    return ("$ zctrace attach -n nginx -d 3s --json before.json    # sendfile on;\n"
            "$ zctrace attach -n nginx -d 3s --json after.json     # listen ... ssl;\n"
            "$ zctrace diff --fail-if 'zero_copy_share<90%' before.json after.json; echo $?\n"
            f"{done.stderr}{text}4\n")


class CaddyWith(Caddy):
    """caddy with a directive before file_server."""

    def start_with(self, middleware):
        self.port = servers.free_port()
        configuration = self.directory / "Caddyfile"
        configuration.write_text(CADDYFILE.replace("PORT", str(self.port)).replace("ROOT", str(self.root))
                                 .replace("MIDDLEWARE", middleware))
        errors = self.directory / "caddy.log"
        home = {"HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory / "data"),
                "XDG_CONFIG_HOME": str(self.directory / "config")}
        with open(errors, "wb") as stream:
            self.caddy = self.start([tool("caddy"), "run", "--config", configuration, "--adapter", "caddyfile"],
                                    env={**os.environ, **home}, stdout=stream, stderr=stream)
        self.wait_for_server(self.port, self.caddy, errors)


    def fetch_compressed(self, name):
        """As a browser, which takes a compressed response; this file is not worth compressing."""
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET /%s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
                           b"Connection: close\r\n\r\n" % name.encode())
            received = b"".join(iter(lambda: client.recv(1 << 20), b""))
        if not received.startswith(b"HTTP/1.1 200 ") or len(received) < servers.BIG:
            raise SystemExit(f"transcripts: caddy sent {len(received)} bytes: {received[:200]}")


def caddy(middleware):
    def play(case):
        case.start_with(middleware)
        # The first request for a file type also reads the system's table of types.
        case.fetch_compressed("big")
        with Observed("caddy") as observed:
            case.fetch_compressed("big")
        return counted(observed.text)
    return played(CaddyWith, play)


@scene("case-caddy")
def middleware_of_caddy():
    return shown("zctrace attach -n caddy                        # file_server", caddy("")) + "\n" + \
        shown("zctrace attach -n caddy                        # encode gzip, then file_server",
              caddy("encode gzip"))


class Relay(Attach, servers.ServerTest):
    """A relay between an origin that sends BYTES and a client that reads them."""

    def fetch_through(self, name, start):
        port = servers.free_port()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def answer():
                with listener.accept()[0] as peer:
                    peer.recv(1)
                    peer.sendall(bytes(BYTES))
            origin = threading.Thread(target=answer)
            origin.start()
            relay = self.start(start(port, listener.getsockname()[1]), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
            # A probe would take the one connection of the origin.
            self.wait_until(lambda: f":{port:04X} 00000000:0000 0A" in
                            pathlib.Path("/proc/net/tcp").read_text(), "the relay listens")
            with Observed(name) as observed, socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"x")
                left = BYTES
                while left > 0:
                    some = len(client.recv(1 << 20))
                    if some == 0:
                        raise SystemExit("transcripts: the relay ended early")
                    left -= some
            origin.join()
            relay.kill()
            relay.wait()
        return counted(observed.text)


class Observed:
    """zctrace attach around what happens in between."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.recording = Recording([ZCTRACE, "attach", "-n", self.name], "/")
        while b"observing" not in self.recording.text:
            if self.recording.process.poll() is not None:
                raise SystemExit(f"transcripts: attach ended: {self.recording.text}")
        return self

    def __exit__(self, *failure):
        self.recording.process.send_signal(2)
        self.text = self.recording.finish()


def haproxy(option):
    def play(case):
        configuration = case.directory / "haproxy.cfg"

        def start(port, origin):
            configuration.write_text(HAPROXY.format(port=port, origin=origin, option=option))
            return [tool("haproxy"), "-db", "-f", configuration]
        return case.fetch_through("haproxy", start)
    return played(Relay, play)


@scene("case-haproxy")
def splice_of_haproxy():
    return shown("zctrace attach -n haproxy                      # no option for it", haproxy("")) + "\n" + \
        shown("zctrace attach -n haproxy                      # option splice-auto", haproxy("option splice-auto")) + "\n" + \
        shown("zctrace attach -n haproxy                      # option splice-response", haproxy("option splice-response"))


@scene("case-go")
def proxy_in_go():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        program = pathlib.Path(name) / "relay"
        subprocess.run([tool("go"), "build", "-o", program, HERE / "relay.go"], check=True, timeout=600,
                       env={**os.environ, "GOCACHE": f"{name}/cache", "GOFLAGS": "-mod=mod", "GOPATH": f"{name}/go"})

        def relay(*words):
            return played(Relay, lambda case: case.fetch_through(
                "relay", lambda port, origin: [program, *words, f"127.0.0.1:{port}", f"127.0.0.1:{origin}"]))

        return shown("zctrace attach -n relay                        # io.Copy(client, origin)", relay()) + \
            "\n" + shown("zctrace attach -n relay                        # io.Copy(client, counter{origin})",
                         relay("-count"))


def postgresql(name):
    for directory in sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / name).exists():
            return directory / name
    return tool(name)


@scene("case-postgresql")
def copy_of_postgresql():
    class Server(servers.ServerTest):
        def runTest(self):
            """unittest makes an object only of a class that has a test."""

        def as_owner(self, *words, **options):
            return subprocess.run([*owner, *map(str, words)], check=True, cwd=home, timeout=PATIENCE_S,
                                  stdin=subprocess.DEVNULL, capture_output=True, **options)

        def sql(self, statement):
            return self.as_owner(tool("psql"), "-XqAt", "-h", home, "-U", "tester", "-d", "postgres", "-c", statement)

        def is_ready(self):
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.sql("SELECT 1")

        def play(self):
            self.as_owner(postgresql("initdb"), "-D", home / "data", "-U", "tester", "--auth=trust", "--no-sync",
                          "--locale=C", "--encoding=SQL_ASCII")
            server = self.start([*owner, postgresql("postgres"), "-D", home / "data", "-k", home,
                                 "-c", "listen_addresses=", "-c", "fsync=off", "-c", "autovacuum=off"], cwd=home,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.wait_until(self.is_ready, "PostgreSQL takes connections")
                line = "0123456789abcdef" * 25
                (home / "lines").write_text(f"{line}\n" * 40000)
                (home / "lines").chmod(0o644)
                self.sql("CREATE UNLOGGED TABLE lines (line text)")
                with Observed("postgres") as observed:
                    self.sql(f"COPY lines FROM '{home}/lines'")
                    self.sql("COPY lines TO STDOUT")
                return counted(observed.text)
            finally:
                server.send_signal(2)
                server.wait(PATIENCE_S)

    # The server refuses root, and the path of its socket must be short.
    home = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir="/var/tmp"))
    owner = [tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    os.chown(home, NOBODY, NOBODY)
    try:
        return shown("zctrace attach -n postgres     # COPY lines FROM '...'; COPY lines TO STDOUT;",
                     played(Server, Server.play))
    finally:
        shutil.rmtree(home)


@contextlib.contextmanager
def xfs(*options):
    with tempfile.TemporaryDirectory(prefix="zctrace-case-", dir="/var/tmp") as name:
        image, place = pathlib.Path(name) / "image", pathlib.Path(name) / "mounted"
        place.mkdir()
        with open(image, "wb") as disk:
            disk.truncate(512 << 20)
        subprocess.run([tool("mkfs.xfs"), "-q", *options, image], check=True)
        subprocess.run(["mount", "-o", "loop", image, place], check=True)
        try:
            (place / "data").mkdir()
            (place / "data" / "original").write_bytes(os.urandom(BYTES))
            os.sync()
            yield place
        finally:
            subprocess.run(["umount", place], check=True)


@scene("case-backup")
def backup_without_reflink():
    def copied(place, comment):
        words = ["cp", "-a", "data", "backup"]
        text = run([ZCTRACE, "run", "--", *words], place)
        return shown(f"zctrace run -- {' '.join(words)}".ljust(47) + f"# {comment}", counted(text))

    with xfs("-m", "reflink=0") as place:
        old = copied(place, "XFS that was made with reflink=0")
    with xfs("-m", "reflink=1") as place:
        new = copied(place, "XFS as mkfs makes it today")
    return old + "\n" + new
