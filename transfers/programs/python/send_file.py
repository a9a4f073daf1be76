# SPDX-License-Identifier: MIT
"""socket.sendfile, which calls sendfile(2)."""

import sys

from ends import open_sink

with open(sys.argv[1], "rb") as source, open_sink(sys.argv[2]) as sink:
    sink.sendfile(source)
