# SPDX-License-Identifier: MIT
"""Which tests to run: -k patterns, and ZCTRACE_CLI_SUITES for suites of tests/cli."""

import fnmatch
import os


class Selection:
    def __init__(self, patterns=()):
        # As unittest's -k: a word without a wildcard matches any part of the name.
        self.patterns = [pattern if "*" in pattern else f"*{pattern}*" for pattern in patterns]
        self.suites = os.environ.get("ZCTRACE_CLI_SUITES", "*").split()

    def has(self, test):
        return not self.patterns or any(fnmatch.fnmatchcase(test, pattern)
                                        for pattern in self.patterns)

    def has_cli_suite(self, suite):
        return any(fnmatch.fnmatchcase(suite, pattern) for pattern in self.suites)

    def has_cli_module(self, module):
        """Whether it may have such a suite. The others are not imported: where few suites run,
        what they need need not be there."""
        return any(fnmatch.fnmatchcase(module, part) for pattern in self.suites
                   for part in (pattern, pattern.rpartition(".")[0]))

    def googletest_filter(self, left_out):
        """The value of --gtest_filter, or None for all tests."""
        if not self.patterns and not left_out:
            return None
        return ":".join(self.patterns or ["*"]) + ("-" + ":".join(left_out) if left_out else "")
