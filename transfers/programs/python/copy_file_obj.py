# SPDX-License-Identifier: MIT
"""shutil.copyfileobj between a buffered file and a raw one."""

import shutil
import sys

from ends import open_sink

with open(sys.argv[1], "rb") as source, open_sink(sys.argv[2]) as sink:
    if hasattr(sink, "makefile"):
        with sink.makefile("wb") as file:
            shutil.copyfileobj(source, file)
    else:
        shutil.copyfileobj(source, sink)
