# SPDX-License-Identifier: MIT
"""The results of all tests, printed as they arrive and summed up at the end."""

import fnmatch
import sys

# Skips that are right even where everything can be observed: pattern of the name, and why.
ALLOWED_SKIPS = {
    "*clones_of_a_file_system_that_has_them*": "needs a loop device to mount XFS on",
    "*[Rr]eflink*": "needs a mounted XFS or btrfs",
    "copies.filesystems_test.*": "needs loop devices to mount XFS and btrfs on",
    "*test_direct_on_a_file_in_memory_*": "needs O_DIRECT on tmpfs (Linux 6.6)",
    "*test_ktls_*": "needs the kernel's module tls",
    "*test_splice_into_af_alg_*": "needs AF_ALG with ctr(aes)",
    "channels.vsock_test.*": "needs the kernel's module vsock_loopback",
    "*test_notifications_vouch_*": "needs IORING_SEND_ZC_REPORT_USAGE (Linux 6.2)",
    "*EveryReadOfAPipeCountsAndIsTakenOutOfIt*": "needs IORING_OP_READ_MULTISHOT (Linux 6.7)",
    "Stacks.OfTheFilesThatAreReadHaveTheKernelsFunctions*": "needs mm_filemap_get_pages (Linux 6.12)",
    "mount.causes_test.ByBpf*": "needs the tracepoints of FUSE (Linux 6.12)",
    "mount.uring_test.*": "needs FUSE over io_uring (Linux 6.14)",
    "*_over_io_uring": "needs FUSE over io_uring (Linux 6.14)",
    "*_32_bit_*": "needs a kernel that runs 32-bit programs",
    "*int_0x80*": "needs a kernel that runs 32-bit programs",
    "*test_other_numbers*": "needs a kernel that runs 32-bit programs",
}

SLOWEST = 10


class Suite:
    """The results of one suite."""

    def __init__(self, name, must_run=False):
        self.name = name
        self.must_run = must_run  # a skip is wrong on this machine
        self.passed = 0
        self.failures = {}  # test -> text
        self.skips = []  # (test, reason, how many)
        self.seconds = {}  # test -> duration

    @property
    def skipped(self):
        return sum(count for _, _, count in self.skips)

    @property
    def empty(self):
        return not (self.passed or self.failures or self.skips)

    def line(self):
        state = "FAIL" if self.failures else "ok" if self.passed else "skip"
        words = [f"{self.passed} passed"]
        words += [f"{len(self.failures)} failed"] if self.failures else []
        words += [f"{self.skipped} skipped"] if self.skips else []
        words += [f"{sum(self.seconds.values()):.1f} s"] if self.seconds else []
        return f"{state:<5}{self.name}: {', '.join(words)}"


class Tally:
    """The sums over all suites."""

    def __init__(self):
        self.suites = []

    @property
    def passed(self):
        return sum(suite.passed for suite in self.suites)

    @property
    def failed(self):
        return sum(len(suite.failures) for suite in self.suites)

    @property
    def skipped(self):
        return sum(suite.skipped for suite in self.suites)

    def add(self, suite):
        if suite.empty:
            return
        self.suites.append(suite)
        print(suite.line())
        for test, text in suite.failures.items():
            print(f"\n--- {test}\n{text.rstrip()}\n")
        sys.stdout.flush()

    def print_left_out(self, kind, reasons):
        """Tests that a sanitizer makes meaningless; they count as neither passed nor skipped."""
        for pattern, reason in reasons.items():
            print(f"{'-':<5}{kind} {pattern}: left out, {reason}")

    def print_skips(self):
        """Prints each reason with the tests it skipped. Returns how many should have run."""
        wrong = 0
        reasons = {}
        for suite in self.suites:
            for name, reason, count in suite.skips:
                if suite.must_run and not any(fnmatch.fnmatchcase(name, pattern)
                                              for pattern in ALLOWED_SKIPS):
                    wrong += count
                    reason += " (but this machine allows BPF)"
                reasons.setdefault(reason, []).append(f"{name} ({count})" if count > 1 else name)
        for reason, names in reasons.items():
            print(f"skipped: {reason}")
            for name in names:
                print(f"  {name}")
        return wrong

    def print_slowest(self):
        seconds = {test: took for suite in self.suites for test, took in suite.seconds.items()}
        if len(seconds) <= SLOWEST:
            return
        print(f"the {SLOWEST} slowest of {len(seconds)} tests:")
        for test in sorted(seconds, key=seconds.get, reverse=True)[:SLOWEST]:
            print(f"  {seconds[test]:6.1f} s  {test}")
