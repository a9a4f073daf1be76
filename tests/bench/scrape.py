#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long a scrape of `export -a` takes beside a hundred other clients that delay their part.

Usage: scrape.py [ZCTRACE]

Prints the median and the longest of 50 scrapes in milliseconds, beside clients that send nothing, a
half of a request, or a request whose answer they do not read.
"""

import contextlib
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("ZCTRACE_BUILD", HERE.parent.parent / "build")).resolve()
ZCTRACE = sys.argv[1] if len(sys.argv) > 1 else BUILD / "zctrace"
SCRAPES = 50
CLIENTS = 100
CLIENTS_THAT = {"": None, "send nothing": b"", "send half a request": b"GET /metrics HTTP/1.1\r\nH",
                "do not read": b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"}


def scrape_ms(url):
    began = time.monotonic()
    with urllib.request.urlopen(url) as answer:
        answer.read()
    return (time.monotonic() - began) * 1000


def client(port, sent):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    connection.connect(("127.0.0.1", port))
    connection.sendall(sent)
    return connection


def scrapes_beside(url, sent):
    port = int(re.search(r":(\d+)/", url)[1])
    times = []
    for _ in range(SCRAPES):  # with new clients, as theirs end after ten seconds
        with contextlib.ExitStack() as stack:
            if sent is not None:
                for _ in range(CLIENTS):
                    stack.enter_context(client(port, sent))
            times.append(scrape_ms(url))
    return times


def main():
    with subprocess.Popen([ZCTRACE, "export", "-a", "--listen", "127.0.0.1:0"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as exporter:
        try:
            url = None
            while not url:
                line = exporter.stderr.readline()
                if not line:
                    sys.exit("scrape: zctrace has ended")
                url = re.search(r"http://\S+", line)
            print(f"{'a scrape beside':36} {'median ms':>10} {'longest':>10}")
            for name, sent in CLIENTS_THAT.items():
                times = scrapes_beside(url[0], sent)
                print(f"{f'{CLIENTS} clients that {name}' if name else 'nothing':36}"
                      f" {statistics.median(times):10.1f} {max(times):10.1f}")
        finally:
            exporter.terminate()


if __name__ == "__main__":
    main()
