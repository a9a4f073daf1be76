# SPDX-License-Identifier: MIT
"""Runs the suites of tests/cli: each class of unittest is a suite."""

import os
import sys
import time
import unittest

from .paths import ROOT
from .tally import Suite


def run(build, must_run, selection, sanitizer):
    """Yields a Suite for each test class, as it ends."""
    os.environ["ZCTRACE_BUILD"] = str(build)
    sys.dont_write_bytecode = True
    for test_class, tests in classes_of(discover(selection)).items():
        suite = f"{test_class.__module__}.{test_class.__qualname__}"
        if not selection.has_cli_suite(suite):
            continue
        tests = [test for test in tests if selection.has(test.id()) and
                 not sanitizer.leaves_out("cli", test.id())]
        if tests:
            yield run_class(suite, tests, must_run, sanitizer)


def discover(selection):
    directory = ROOT / "tests" / "cli"
    sys.path.insert(0, str(directory))
    modules = sorted(path.relative_to(directory).with_suffix("")
                     for path in directory.rglob("*_test.py"))
    names = [".".join(path.parts) for path in modules]
    return unittest.TestLoader().loadTestsFromNames(
        [name for name in names if selection.has_cli_module(name)])


def classes_of(suite):
    """The test classes of a discovered suite, in order, each with its tests."""
    classes = {}
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            for test_class, tests in classes_of(item).items():
                classes.setdefault(test_class, []).extend(tests)
        else:
            classes.setdefault(type(item), []).append(item)
    return classes


class Collected(unittest.TestResult):
    """Prints nothing; keeps durations, and the failed parts of each test."""

    def __init__(self):
        super().__init__()
        self.subtests_failed = {}
        self.seconds = {}
        self.started = 0

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self.seconds[f"cli {test.id()}"] = time.monotonic() - self.started

    def addSubTest(self, test, subtest, err):
        # One failure for each test, with the text of each part of it.
        if err is not None:
            text = f"{subtest._subDescription()}\n{self._exc_info_to_string(err, test)}"
            self.subtests_failed.setdefault(test, []).append(text)


def run_class(name, tests, must_run, sanitizer):
    result = Collected()
    unittest.TestSuite(tests).run(result)
    suite = Suite(f"cli {name}", must_run)
    suite.seconds = result.seconds
    suite.failures = {test.id(): text for test, text in result.failures + result.errors}
    for test, texts in result.subtests_failed.items():
        suite.failures[test.id()] = "\n".join(texts)
    for test in result.unexpectedSuccesses:
        suite.failures[test.id()] = "succeeded unexpectedly"
    unsuccessful = set(suite.failures) | {test.id() for test, _ in result.skipped}
    suite.passed = result.testsRun - len(unsuccessful & {test.id() for test in tests})
    suite.failures |= sanitizer.take_failures()
    for test, reason in result.skipped:
        # A class that is skipped as a whole is there once, without its tests.
        whole = not isinstance(test, unittest.TestCase)
        suite.skips.append((name if whole else test.id(), reason, len(tests) if whole else 1))
    return suite
