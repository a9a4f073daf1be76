# SPDX-License-Identifier: MIT
"""The BPF objects that a process holds, and those that the kernel still has."""

import contextlib
import json
import os
import pathlib
import subprocess

from paths import PATIENCE_S, tool

# The descriptor of an iterator is open only for a moment.
BPF_OBJECTS = {"anon_inode:bpf-map", "anon_inode:bpf-prog", "anon_inode:bpf_link"}


def bpf_objects_of(pid):
    """Kind -> ids of the BPF programs, links and maps that a process holds."""
    ids = {"prog": set(), "link": set(), "map": set()}
    for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        for kind, found in ids.items():
            if f"{kind}_id" in lines:
                found.add(int(lines[f"{kind}_id"]))
    return ids


def descriptors_of(pid):
    """What they are open on. The name of a file may contain that of an object: compare it whole."""
    for descriptor in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(descriptor.path)


def count_bpf_objects_of(pid):
    """The number of its descriptors of BPF objects, which is quicker to get than their ids."""
    count = 0
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for name in descriptors_of(pid):
            count += name in BPF_OBJECTS
    return count


def bpf_objects(kind):
    """The ids of all such objects in the kernel, whatever process holds them."""
    listed = subprocess.run([tool("bpftool"), "--json", kind, "show"], capture_output=True,
                            text=True, check=True, timeout=PATIENCE_S).stdout
    return {found["id"] for found in json.loads(listed or "[]")}


def assert_loaded(test, ids):
    for kind, held in ids.items():
        test.assertTrue(held, kind)
        test.assertLessEqual(held, bpf_objects(kind))


def wait_until_unloaded(test, ids):
    """The kernel frees them shortly after the last descriptor is closed."""
    for kind, held in ids.items():
        if held:
            test.wait_until(lambda: not held & bpf_objects(kind), f"{kind} {held} are gone")


def bpf_programs_of(pid):
    """The BPF programs that a process holds: name -> (runs, ns of run time)."""
    listed = subprocess.run([tool("bpftool"), "--json", "prog", "show"], capture_output=True,
                            text=True, check=True, timeout=PATIENCE_S).stdout
    held = bpf_objects_of(pid)["prog"]
    return {found["name"]: (found.get("run_cnt", 0), found.get("run_time_ns", 0))
            for found in json.loads(listed) if found["id"] in held}


def measures_run_times(pid):
    """Whether the process has the kernel measure the run times of BPF programs."""
    return "anon_inode:bpf-stats" in descriptors_of(pid)
