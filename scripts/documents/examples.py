# SPDX-License-Identifier: MIT
"""The worked examples of CONTRIBUTING.md: patches, each with the tests that it passes.

A patch begins with what it does and lines `Test: SUITE PATTERN`, then has the change as git shows it.
"""

import os
import pathlib
import re
import subprocess

FOLDER = pathlib.PurePath("docs/examples")
SUITES = {"unit": "unit-tests", "kernel": "kernel-tests"}
TEST = re.compile(r"^Test: (\w+) (\S+)$", re.MULTILINE)
NEW_FILE = re.compile(r"^--- /dev/null\n\+\+\+ b/(\S+)$", re.MULTILINE)
# `cli/views/cell.h` or `transfers/methods/`, but neither `zctrace` nor `area: what changes`.
PATH_IN_PROSE = re.compile(r"`([\w.-]+/[\w./-]*)`")


def patches(root):
    return sorted((root / FOLDER).glob("*.patch"))


def head(patch):
    """What stands before the change."""
    return patch.read_text().partition("\ndiff --git ")[0]


def tests(patch):
    """(suite, pattern) of each test that the example passes."""
    return TEST.findall(head(patch))


def apply(patch, root, *options):
    """Applies it to the tree at root, which need not be a repository. Returns what git says against it."""
    # Below a repository, git would take the paths for those of the repository.
    done = subprocess.run(["git", "-c", f"safe.directory={root}", "apply", *options, str(patch.resolve())],
                          env={**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)},
                          cwd=root, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def problems(root):
    """A line for each example that no longer fits the tree, and for each path that CONTRIBUTING.md
    names and that does not exist."""
    page = root / "CONTRIBUTING.md"
    if not patches(root) or not page.exists():
        return
    text, made = page.read_text(), set()
    for patch in patches(root):
        name = str(patch.relative_to(root))
        made |= set(NEW_FILE.findall(patch.read_text()))
        if f"({name})" not in text:
            yield f"{name}: CONTRIBUTING.md has no link to it"
        if not tests(patch) or {suite for suite, _ in tests(patch)} - set(SUITES):
            yield f"{name}: needs a line `Test: SUITE PATTERN`; the suites are {', '.join(SUITES)}"
        if why := apply(patch, root, "--check"):
            yield (f"{name}: does not apply any more: {why.splitlines()[0]}; "
                   "mend it as CONTRIBUTING.md says")
    for path in sorted(set(PATH_IN_PROSE.findall(text))):
        if not path.startswith("build/") and not (root / path).exists() and path not in made:
            yield f"CONTRIBUTING.md: there is no {path}"
