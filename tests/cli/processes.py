# SPDX-License-Identifier: MIT
"""What /proc says about a process."""

import contextlib
import pathlib
import re


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def children(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(word) for word in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def argv_of(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    return []


def waits_in_call(pid):
    """Whether every task of the process sleeps inside a call."""
    try:
        calls = [(task / "syscall").read_text().split()[0]
                 for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # -1: off the CPU for another reason, such as a page fault.
    return bool(calls) and not {"running", "-1"} & set(calls)


def state_of(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def capabilities_of(pid):
    return re.search(r"CapEff:\s*(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]


def writes_to(pid, descriptor):
    """Whether its main thread sleeps in a call on this descriptor, its first argument."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        fields = pathlib.Path(f"/proc/{pid}/syscall").read_text().split()
        return len(fields) > 1 and fields[1] == hex(descriptor)
    return False


def switches(pid):
    """task -> its context switches. A task with the same counts has not run in between."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        found[task.name] = [line for line in lines if "ctxt_switches" in line]
    return found


def catches(pid, number):
    """Whether it has a handler for the signal."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) & 1 << number - 1)
