# SPDX-License-Identifier: MIT
"""Files and peers of real programs, beside what strace -y, lsof and ss show of them and what the
servers log."""

import collections
import re
import shutil
import subprocess
import sys

from channels.channel_case import ChannelCase
from paths import PATIENCE_S, tool
from servers import (BIG, SMALL, Attached, CaddyTest, NginxTest, ServerTest, connect, free_port,
                     request_for)

CLIENTS = 3
# A successful call that moves bytes from or to the file that -y names.
MOVED = re.compile(r"(?:^|\s)(p?read(?:64)?|p?write(?:64)?)\(\d+<([^>]+)>(?:\(deleted\))?, .* = (\d+)$")


def moved_by_strace(log):
    """{path: bytes} of reads, and of writes."""
    moved = {"read": collections.Counter(), "write": collections.Counter()}
    for line in log.read_text(errors="replace").splitlines():
        if found := MOVED.search(line):
            call, path, count = found.groups()
            moved["read" if "read" in call else "write"][path] += int(count)
    return moved


class Programs(ChannelCase):
    def source(self):
        """A directory of files, some of them empty, large or below others."""
        source = self.directory / "source"
        for number, size in enumerate((0, 1, 4097, 70_001, 300_007)):
            path = source / f"dir {number}" / f"file {number}"
            path.parent.mkdir(parents=True)
            path.write_bytes(bytes((number + at) % 251 for at in range(size)))
        return source

    def beside_strace(self, prepare, *command):
        """What zctrace and strace show of two runs of the same program."""
        log = self.directory / "log"
        prepare()
        subprocess.run([tool("strace"), "-f", "-y", "-s", "0", "-o", log, "-e",
                        "trace=read,write,pread64,pwrite64", *map(str, command)],
                       cwd=self.directory, check=True, capture_output=True, timeout=PATIENCE_S)
        prepare()
        return self.observe_by("file", [str(word) for word in command]), moved_by_strace(log)

    @staticmethod
    def shown(report, figure, below):
        return {file["path"]: file[figure] for file in report["files"]
                if (file["path"] or "").startswith(f"{below}/") and file[figure]}

    @staticmethod
    def below(moved, directory):
        return {path: count for path, count in moved.items()
                if path.startswith(f"{directory}/") and count}

    def test_tar(self):
        source = self.source()
        archive = self.directory / "made" / "archive.tar"

        def prepare():
            archive.parent.mkdir(exist_ok=True)
            archive.unlink(missing_ok=True)

        report, seen = self.beside_strace(prepare, "tar", "cf", archive, source)
        self.assertEqual(self.shown(report, "read_bytes", source), self.below(seen["read"], source))
        self.assertEqual(self.shown(report, "written_bytes", archive.parent),
                         {str(archive): archive.stat().st_size})

    def test_git(self):
        source = self.source()

        def prepare():
            shutil.rmtree(source / ".git", ignore_errors=True)
            subprocess.run([tool("git"), "init", "-q", source], check=True)

        report, seen = self.beside_strace(prepare, tool("git"), "-C", source, "add", ".")
        read = self.shown(report, "read_bytes", source)
        self.assertEqual({path: count for path, count in read.items() if "/.git/" not in path},
                         {path: count for path, count in self.below(seen["read"], source).items()
                          if "/.git/" not in path})
        # Objects have random names until they are complete.
        objects = source / ".git" / "objects"
        self.assertEqual(sum(self.shown(report, "written_bytes", objects).values()),
                         sum(self.below(seen["write"], objects).values()))
        self.assertGreater(len(self.shown(report, "written_bytes", objects)), 3)


def connections_by_ss(pid):
    """(local, remote) of the established TCP connections of a process."""
    lines = subprocess.run([tool("ss"), "-Htnp", "state", "established"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    found = [line.split() for line in lines if f"pid={pid}," in line]
    return {(words[2].replace("[::ffff:", "").replace("]", ""),
             words[3].replace("[::ffff:", "").replace("]", "")) for words in found}


def files_by_lsof(pid):
    """Paths of the regular files that a process has open."""
    text = subprocess.run([tool("lsof"), "-p", str(pid), "-Fnt"], capture_output=True, text=True,
                          check=True).stdout
    names, kind = set(), ""
    for line in text.splitlines():
        if line.startswith("t"):
            kind = line[1:]
        elif line.startswith("n") and kind == "REG":
            names.add(line[1:])
    return names


def response(connection, size):
    """Bytes of a response whose body has that size; the connection stays open."""
    received = b""
    while b"\r\n\r\n" not in received or \
            len(received) - received.index(b"\r\n\r\n") - 4 < size:
        received += connection.recv(1 << 20)
    return len(received)


class Shown(ServerTest):
    """Clients whose connections stay open, so that ss can list them."""

    def clients(self, port, name="small", size=SMALL):
        """[(connection, bytes that it received)]"""
        found = []
        for _ in range(CLIENTS):
            connection = connect(port)
            self.addCleanup(connection.close)
            connection.sendall(request_for(name, keep_alive=True))
            found.append((connection, response(connection, size)))
        return found

    @staticmethod
    def address(name):
        return "%s:%d" % name[:2]

    def peers_of(self, report, pids):
        """{(local, remote): (sent, received)} of TCP."""
        return {(peer["local"], peer["remote"]): (peer["sent_bytes"], peer["received_bytes"])
                for peer in report["peers"]
                if peer["protocol"] == "tcp" and set(peer["processes"]) & set(pids)}

    def assert_clients(self, peers, clients):
        """The server sent each client what that received."""
        for connection, received in clients:
            ends = (self.address(connection.getpeername()), self.address(connection.getsockname()))
            self.assertEqual(peers[ends][0], received)


class Nginx(Shown, NginxTest):
    def test_peers_are_those_of_ss_and_bytes_those_of_the_log(self):
        self.start_nginx("sendfile on;")
        attached = Attached(self, "-p", self.master.pid, "--by", "peer")
        clients = self.clients(self.port)
        self.wait_for_requests(CLIENTS)
        listed = set().union(*(connections_by_ss(pid) for pid in self.workers()))
        report = attached.detach()
        peers = self.peers_of(report, self.seen)
        self.assertEqual(set(peers), listed)
        self.assert_clients(peers, clients)
        self.assertEqual(sum(sent for sent, _ in peers.values()),
                         sum(request.bytes for request in self.requests()))
        files = {file["path"]: file["read_bytes"] for file in report["files"]}
        self.assertEqual(files[str(self.root / "small")], CLIENTS * SMALL)
        # nginx writes it with a call for each request.
        self.assertIn(str(self.log), set().union(*(files_by_lsof(pid) for pid in self.workers())))
        self.assertEqual(self.log.stat().st_size,
                         next(file["written_bytes"] for file in report["files"]
                              if file["path"] == str(self.log)))


class Caddy(Shown, CaddyTest):
    def test_peers_are_those_of_ss_and_bytes_those_of_the_clients(self):
        self.start_caddy()
        attached = Attached(self, "-p", self.caddy.pid, "--by", "peer")
        clients = self.clients(self.port, "big", BIG)
        listed = connections_by_ss(self.caddy.pid)
        report = attached.detach()
        peers = self.peers_of(report, [self.caddy.pid])
        self.assertEqual(set(peers), listed)
        self.assert_clients(peers, clients)
        files = {file["path"]: file["read_bytes"] for file in report["files"]}
        self.assertEqual(files[str(self.root / "big")], CLIENTS * BIG)


class Haproxy(Shown):
    CONFIGURATION = """
defaults
  mode tcp
  timeout connect 60s
  timeout client 60s
  timeout server 60s
listen proxy
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{server}
"""

    def test_peers_are_those_of_ss_on_both_sides(self):
        server, port = free_port(), free_port()
        errors = self.directory / "server.err"
        with open(errors, "wb") as stream:
            served = self.start([sys.executable, "-m", "http.server", "--protocol", "HTTP/1.1",
                                 "--bind", "127.0.0.1", "-d", self.root, server], stdout=stream,
                                stderr=stream)
        self.wait_for_server(server, served, errors)
        configuration = self.directory / "haproxy.cfg"
        configuration.write_text(self.CONFIGURATION.format(port=port, server=server))
        errors = self.directory / "haproxy.err"
        with open(errors, "wb") as stream:
            proxy = self.start([tool("haproxy"), "-db", "-f", configuration], stdout=stream,
                               stderr=stream)
        self.wait_for_server(port, proxy, errors)
        attached = Attached(self, "-p", proxy.pid, "--by", "peer")
        clients = self.clients(port)
        listed = connections_by_ss(proxy.pid)
        report = attached.detach()
        peers = self.peers_of(report, [proxy.pid])
        self.assertEqual(set(peers), listed)
        self.assertEqual(len(listed), 2 * CLIENTS)
        self.assert_clients(peers, clients)
        # What it took from the server it sent to the clients.
        to_server = [sums for ends, sums in peers.items() if ends[1] == f"127.0.0.1:{server}"]
        self.assertEqual(sum(received for _, received in to_server),
                         sum(received for _, received in clients))
