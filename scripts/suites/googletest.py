# SPDX-License-Identifier: MIT
"""Runs a GoogleTest program."""

import json
import pathlib
import re
import subprocess
import tempfile

from .paths import PATIENCE_S
from .tally import Suite


def run(program, kind, must_run, selection, sanitizer):
    """Yields a Suite for each suite of the program. A crash is a failed test of its own."""
    if not program.exists():
        yield failed(kind, must_run, {str(program): "not built: make tests"})
        return
    with tempfile.TemporaryDirectory(prefix="zctrace-check-") as directory:
        report = pathlib.Path(directory, "report.json")
        chosen = selection.googletest_filter(sanitizer.reasons(kind))
        try:
            done = subprocess.run([program, f"--gtest_output=json:{report}", "--gtest_color=no",
                                   *([f"--gtest_filter={chosen}"] if chosen else [])],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False)
            output, status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            output, status = expired.stdout or b"", f"none within {PATIENCE_S} s"
        output = output.decode(errors="backslashreplace")
        # The program writes it at its very end.
        suites = json.loads(report.read_text())["testsuites"] if report.exists() else None
    found = sanitizer.take_failures()
    if suites is None:
        last = output.rfind("[ RUN      ]")
        text = f"ended before its last test, exit status {status}:\n{output[max(last, 0):]}"
        suite = failed(kind, must_run, {program.name: text, **found})
        suite.passed = len(re.findall(r"^\[       OK \]", output, re.MULTILINE))
        yield suite
        return
    results = [result_of(suite, kind, must_run, output) for suite in suites]
    if found:
        results.append(failed(f"{kind} {sanitizer.name} sanitizer", must_run, found))
    if status != 0 and not any(suite.failures for suite in results):
        text = f"exit status {status}\n{output[-4000:]}"
        results.append(failed(kind, must_run, {program.name: text}))
    yield from results


def failed(name, must_run, failures):
    suite = Suite(name, must_run)
    suite.failures = failures
    return suite


def result_of(suite, kind, must_run, output):
    result = Suite(f"{kind} {suite['name']}", must_run)
    for test in suite["testsuite"]:
        name = f"{suite['name']}.{test['name']}"
        if test["status"] != "RUN":
            continue
        result.seconds[f"{kind} {name}"] = float(test.get("time", "0s").rstrip("s"))
        if test.get("failures"):
            result.failures[name] = output_of(name, output)
        elif test["result"] == "SKIPPED":
            result.skips.append((name, skip_reason(test, output_of(name, output)), 1))
        else:
            result.passed += 1
    return result


def output_of(test, output):
    """What a test printed, between GoogleTest's own lines about it."""
    begin = re.search(rf"^\[ RUN      \] {re.escape(test)}$", output, re.MULTILINE)
    if not begin:
        return output
    rest = output[begin.end():]
    end = re.search(r"^\[ +(FAILED|SKIPPED|OK) +\]", rest, re.MULTILINE)
    return rest[:end.start()].strip("\n") if end else rest


def skip_reason(test, output):
    for skip in test.get("skipped", []):
        if skip.get("message", "").strip():
            return skip["message"].strip()
    lines = [line for line in output.splitlines() if line and not line.endswith(": Skipped")]
    return " ".join(lines) or "no reason given"
