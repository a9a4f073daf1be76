# SPDX-License-Identifier: MIT
"""File systems of their own, each in a file behind a loop device."""

import subprocess

from paths import PATIENCE_S, tool


def mount_new(test, make, size, options="loop"):
    """Makes a file system with `make` (mkfs.xfs) and returns where it is mounted. The test skips
    where that is not allowed."""
    image, place = test.directory / f"image-{make}", test.directory / f"mounted-{make}"
    place.mkdir()
    with open(image, "wb") as disk:
        disk.truncate(size)
    subprocess.run([tool(make), "-q", image], check=True, timeout=PATIENCE_S, capture_output=True)
    mounted = subprocess.run(["mount", "-o", options, image, place], check=False,
                             timeout=PATIENCE_S, capture_output=True, text=True)
    if mounted.returncode != 0:
        test.skipTest(f"cannot mount a loop device: {mounted.stderr.strip()}")
    test.addCleanup(subprocess.run, ["umount", place], check=True, timeout=PATIENCE_S)
    return place
