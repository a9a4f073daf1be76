# SPDX-License-Identifier: MIT
"""What a build with a sanitizer needs, and what the sanitizer reported."""

import fnmatch
import os
import pathlib
import tempfile
import tomllib

from .paths import ROOT

SANITIZERS = ROOT / "tests" / "sanitizers"

# LeakSanitizer stops a process by ptrace, which the kernel refuses for a process that has
# capabilities from its executable or its service.
NOT_TRACEABLE = "LeakSanitizer does not work under ptrace"


class Sanitizer:
    """Does nothing when name is empty."""

    def __init__(self, name):
        self.name = name
        self.left_out = {}  # kind -> pattern -> reason
        self.reports = None
        self.not_traceable = 0
        if not name:
            return
        settings = tomllib.loads((SANITIZERS / f"{name}.toml").read_text())
        self.left_out = settings.get("left_out", {})
        # Programs that run as another user write into it, too.
        self.reports = tempfile.TemporaryDirectory(prefix="zctrace-sanitizer-")
        os.chmod(self.reports.name, 0o1777)
        for variable, options in settings["options"].items():
            # An exit status of its own: an expected failure must not hide a report.
            options = {"log_path": f"{self.reports.name}/report", "exitcode": 99, **options}
            if "suppressions" in options:
                options["suppressions"] = SANITIZERS / options["suppressions"]
            os.environ[variable] = ":".join(f"{key}={value}" for key, value in options.items())

    def reasons(self, kind):
        return self.left_out.get(kind, {})

    def leaves_out(self, kind, name):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.reasons(kind))

    def take_failures(self):
        """The reports since the last call: file -> text."""
        failures = {}
        for path in sorted(pathlib.Path(self.reports.name).iterdir()) if self.reports else []:
            text = path.read_text(errors="backslashreplace")
            path.unlink()
            if NOT_TRACEABLE in text:
                self.not_traceable += 1
            else:
                failures[f"{self.name} sanitizer {path.name}"] = text
        return failures

    def print_limits(self):
        if self.not_traceable:
            print(f"not checked for leaks: {self.not_traceable} processes, which cannot be traced")
