# SPDX-License-Identifier: MIT
"""The JSON reports of zctrace, checked against its schema."""

import functools
import json
import subprocess

import jsonschema

from paths import PATIENCE_S, ZCTRACE

NO_CALLS = {"calls": 0, "errors": 0, "restarts": 0, "bytes": 0}


@functools.cache
def schema():
    text = subprocess.run([ZCTRACE, "run", "--json-schema"], capture_output=True, text=True,
                          check=True, timeout=PATIENCE_S).stdout
    return jsonschema.Draft202012Validator(json.loads(text))


def merge(into, key, row):
    sums = into.setdefault(key, dict(NO_CALLS))
    for field in sums:
        sums[field] += row[field]


class Report:
    """A JSON report that was checked against the schema."""

    def __init__(self, text):
        self.json = json.loads(text)
        schema().validate(self.json)

    def __getitem__(self, name):
        return self.json[name]

    @property
    def totals(self):
        return self.json["totals"]

    @property
    def processes(self):
        return self.json["processes"]

    @property
    def process_count(self):
        return len(self.processes) + self["other_processes"]["count"]

    def process(self, pid):
        (found,) = [process for process in self.processes if process["pid"] == pid]
        return found

    def data_rows(self):
        """(syscall, from, to) -> counts, of everything that can move bytes."""
        rows = {}
        for row in self.totals["rows"]:
            if row["copy"] != "none":
                merge(rows, (row["syscall"], row["from"], row["to"]), row)
        return rows

    def calls(self):
        """syscall -> counts, added up over all flows."""
        rows = {}
        for row in self.totals["rows"]:
            merge(rows, row["syscall"], row)
        return rows

    def bytes(self, syscall, source, sink):
        rows = [row for row in self.totals["rows"]
                if (row["syscall"], row["from"], row["to"]) == (syscall, source, sink)]
        return sum(row["bytes"] for row in rows)


def whole_lines(path):
    """The lines of a file that is being written, without an incomplete last one."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def reports_of(path):
    """The reports of -i, one a line."""
    return [Report(line) for line in path.read_text().splitlines()]
