# SPDX-License-Identifier: MIT
"""What each of these programs begins with: the source, and the sink as a socket or a file."""

import os
import socket
import stat


def open_sink(text):
    """A path of a socket or file, or HOST:PORT."""
    if os.path.exists(text):
        if not stat.S_ISSOCK(os.stat(text).st_mode):
            return open(text, "wb", buffering=0)
        sink = socket.socket(socket.AF_UNIX)
        sink.connect(text)
        return sink
    host, _, port = text.rpartition(":")
    return socket.create_connection((host, port))
