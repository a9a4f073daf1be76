# SPDX-License-Identifier: MIT
"""shutil.copyfile, which tries sendfile(2)."""

import shutil
import sys

shutil.copyfile(sys.argv[1], sys.argv[2])
