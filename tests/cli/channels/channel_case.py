# SPDX-License-Identifier: MIT
"""Observes Python programs by file and peer, and finds what they did in the report."""

import json
import sys

from attached import Attach
from report import Report

FILE_KINDS = ("file", "fuse", "device")
PEER_KINDS = ("socket", "pipe")


class ChannelCase(Attach):
    def observe_by(self, by, command, options=()):
        """The report of `zctrace run --by`; its sums over files and peers equal those of its rows."""
        path = self.directory / "report.json"
        done = self.zctrace("run", "--by", by, *options, "--strict", "--json", path, "--", *command,
                            cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = Report(path.read_text())
        self.assert_sums(report)
        report.table = done.stderr
        return report

    def observe_python(self, code, options=(), by="file"):
        # -S -E -s: reads no file of the user's.
        return self.observe_by(by, [sys.executable, "-S", "-E", "-s", "-c", "import os\n" + code],
                               options)

    def assert_sums(self, report):
        rows = [row for process in [*report.processes, report["other_processes"]]
                for row in process["rows"]]

        def moved(end, kinds):
            return sum(row["bytes"] for row in rows if row[end] in kinds)

        def listed(name, figure):
            return (sum(use[figure] for use in report[name])
                    + report[f"other_{name}"][figure])

        self.assertEqual(listed("files", "read_bytes"), moved("from", FILE_KINDS))
        self.assertEqual(listed("files", "written_bytes"), moved("to", FILE_KINDS))
        self.assertEqual(listed("peers", "received_bytes"), moved("from", PEER_KINDS))
        self.assertEqual(listed("peers", "sent_bytes"), moved("to", PEER_KINDS))

    def file_of(self, report, path):
        found = [file for file in report["files"] if file["path"] == str(path)]
        self.assertEqual(len(found), 1,
                         f"{path}: {json.dumps([file['path'] for file in report['files']])}")
        return found[0]

    def assert_file(self, report, path, read=0, written=0):
        file = self.file_of(report, path)
        self.assertEqual((file["read_bytes"], file["written_bytes"]), (read, written), path)

    def peer_of(self, report, protocol, **ends):
        """The only peer with this protocol, and this `local` or `remote` end if given."""
        found = [peer for peer in report["peers"] if peer["protocol"] == protocol
                 and all(peer[end] == text for end, text in ends.items())]
        self.assertEqual(len(found), 1, f"{protocol} {ends}: {report['peers']}")
        return found[0]
