# SPDX-License-Identifier: MIT
"""Where cgroups of version 2 are."""

import pathlib


def cgroup_mount(test):
    """The directory of the hierarchy; skips the test where there is none."""
    text = pathlib.Path("/proc/self/mountinfo").read_text()
    mounts = [line.split(" - ") for line in text.splitlines()]
    places = [fields.split()[4] for fields, kind in mounts if kind.startswith("cgroup2 ")]
    if not places:
        test.skipTest("cgroup v2 is not mounted")
    return pathlib.Path(places[0])
