# SPDX-License-Identifier: MIT
"""Programs as rows of `zctrace compare`, and commands against each other."""

import csv
import io
import json
import os
import pathlib
import shlex
import signal
import sys

from comparing import Comparing
from paths import PATIENCE_S, ZCTRACE
from processes import children
from terminal import Terminal

SEND = """
import os, socket, sys
source, sink = sys.argv[1:3]
connection = socket.socket(socket.AF_UNIX) if "/" in sink else socket.socket()
connection.connect(sink if "/" in sink else (sink.split(":")[0], int(sink.split(":")[1])))
with open(source, "rb") as file:
    connection.sendfile(file)
"""
WORDS = "{source} {sink}"


class Programs(Comparing):
    def setUp(self):
        super().setUp()
        self.sender = self.script(SEND)

    def script(self, text):
        path = self.directory / f"script-{len(list(self.directory.iterdir()))}.py"
        path.write_text(text)
        return f"{sys.executable} {path}"

    def programs(self, *options, expect=0, **programs):
        given = [word for name, command in programs.items()
                 for word in ("--program", f"{name}={command}")]
        return self.compare("--size", "1M", "--runs", "2", "--methods", "none", *given, *options,
                            expect=expect)

    def assert_moved(self, row, size=1 << 20):
        self.assertIsNone(row["error"], row)
        self.assertEqual(row["bytes"], size)
        self.assertIs(row["verified"], True)
        self.assertEqual(len(row["wall_ns"]["runs"]), 2)
        self.assertGreater(row["cpu_ns"], 0)
        self.assertGreaterEqual(row["delivered_bytes"], size)

    def test_sockets_are_connected_to(self):
        for sink, command in (("unix", f"{self.sender} {WORDS}"), ("tcp", f"{self.sender} {WORDS}"),
                              ("tcp", f"{self.sender} {{source}} {{host}}:{{port}}")):
            with self.subTest(sink=sink, command=command):
                rows, report = self.programs("--to", sink, mine=command)
                row = rows["mine"]
                self.assert_moved(row)
                self.assertEqual(row["program"]["argv"], shlex.split(command))
                self.assertEqual(row["method"], "mine")
                # Python starts before it sends; sendfile copies nothing, and the reader reads.
                start = row["program"]["startup_ns"]["runs"]
                self.assertEqual(len(row["program"]["transfer_ns"]["runs"]), 2)
                for first, whole in zip(start, row["wall_ns"]["runs"]):
                    self.assertGreater(first, 0)
                    self.assertLessEqual(first, whole)
                sent = [part for part in row["rows"] if part["syscall"] == "sendfile"]
                self.assertEqual(sum(part["bytes"] for part in sent), 1 << 20)
                self.assertEqual(row["copies"]["reader"], 1)
                self.assertLess(row["copies"]["kernel"], 0.01)
                self.assertEqual(report["completeness"]["lost_events"], 0)

    def test_files_are_written_and_pipes_inherited(self):
        rows, _ = self.programs("--to", "file", dd="dd if={source} of={sink} bs={buffer}",
                                cp="cp {source} {sink}", cat="cat", out="cat {source}",
                                **{"sh": "sh -c 'cat < $0 > $1' {source} {sink}"},)
        for row in rows.values():
            self.assert_moved(row)
            self.assertIsNone(row["program"]["startup_ns"])
            self.assertIn("startup_ns", row["program"]["unknown"])
        self.assertEqual({label for label in rows if label.startswith("dd")},
                         {"dd/4K", "dd/64K", "dd/1M"})
        calls = {part["syscall"]: part["calls"] for part in rows["dd/4K"]["rows"]
                 if part["from"] == "file" or part["to"] == "file"}
        self.assertEqual(calls["write"], 256)
        self.assertEqual(rows["sh"]["program"]["processes"], 2)
        for sink in ("pipe", "pipe:1M"):
            rows, _ = self.programs("--to", sink, cat="cat", named="cp {source} {sink}")
            for row in rows.values():
                self.assert_moved(row)
            self.assertGreater(rows["cat"]["program"]["startup_ns"]["median"], 0)
        rows, _ = self.programs("--to", "null", cat="cat {source}")
        self.assertIsNone(rows["cat"]["verified"])
        self.assertGreaterEqual(rows["cat"]["bytes"], 1 << 20)

    def test_a_program_stands_beside_the_methods(self):
        path = self.directory / "mine with blanks"
        path.write_bytes(os.urandom(300007))
        given = ("--from", path, "--to", "pipe", "--runs", "3", "--program",
                 "size=sh -c 'test $0 = 300007 && cat \"$1\"' {size} {source}")
        rows, report = self.compare(*given, "--methods", "read_write/64K,sendfile/whole")
        self.assertEqual(list(rows), ["read_write/64K", "sendfile/whole", "size"])
        self.assertIsNone(rows["sendfile/whole"]["program"])
        self.assertTrue(all(row["verified"] for row in rows.values()))
        self.assertGreater(rows["size"]["relative"], 1)  # a shell starts meanwhile
        self.assertNotIn("size", report["fastest"])

    def test_every_output_shows_a_program(self):
        names = {kind: self.directory / f"report.{kind}" for kind in ("json", "csv", "md", "html")}
        done = self.zctrace("compare", "--size", "1M", "--runs", "3", "--methods", "sendfile/whole",
                            "--to", "pipe", "--program", "mine=cat {source}", "--program",
                            "wrong=sh -c 'echo one >&2; echo no such luck >&2; exit 7'",
                            *(word for kind, path in names.items() for word in
                              ({"md": "--markdown"}.get(kind, f"--{kind}"), str(path))))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^METHOD .* TIME .* START ")
        self.assertRegex(done.stdout, r"(?m)^mine \*? +- ")
        failed = "exited with status 7: no such luck"
        self.assertRegex(done.stdout, rf"(?m)^wrong +- +{failed}$")
        self.assertIn(failed, names["md"].read_text())
        self.assertIn(failed, names["html"].read_text())
        records = {record["method"]: record for record in
                   csv.DictReader(io.StringIO(names["csv"].read_text()))}
        self.assertGreater(int(records["mine"]["startup_ns"]), 0)
        self.assertEqual(records["sendfile"]["startup_ns"], "")
        self.assertEqual(records["wrong"]["error"], failed)
        again = self.zctrace("report", names["json"])
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))

    def test_wrong_bytes_are_said(self):
        rows, _ = self.programs("--to", "pipe", expect=1, short="head -c 1000 {source}",
                                nothing="true", more="cat {source} {source}",
                                other="sh -c 'head -c $0 /dev/zero' {size}",
                                failing="cat {source} /nonexistent", missing="/nonexistent/program",
                                killed="sh -c 'kill -KILL $$'")
        for name, error in (("short", "delivered 1000 of 1048576 bytes"),
                            ("nothing", "delivered 0 of 1048576 bytes"),
                            ("more", "delivered 2097152 of 1048576 bytes"),
                            ("other", "the bytes that arrived differ from the source"),
                            ("failing", "exited with status 1: cat: /nonexistent: No such file or "
                                        "directory"),
                            ("missing", "cannot run '/nonexistent/program': No such file or "
                                        "directory"),
                            ("killed", "killed by SIGKILL")):
            self.assertEqual(rows[name]["error"], error)
            self.assertNotIn("wall_ns", rows[name])
        rows, _ = self.programs("--to", "unix", expect=1, silent="true {sink}")
        self.assertEqual(rows["silent"]["error"], "delivered 0 of 1048576 bytes")
        rows, _ = self.programs("--to", "file", expect=1, other="cp /proc/self/stat {sink}")
        self.assertRegex(rows["other"]["error"], r"delivered \d+ of 1048576 bytes")

    def test_a_hanging_program_is_killed_with_all_that_it_started(self):
        marks = self.directory / "pids"
        script = self.script(
            "import os, sys, time\n"
            "for new_session in (False, True):\n"
            "    if os.fork() == 0:\n"
            "        if new_session: os.setsid()\n"
            f"        open({str(marks)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
            "        time.sleep(1000)\n"
            "if sys.argv[1] == 'hangs': time.sleep(1000)\n")
        for sink in ("pipe", "unix"):
            rows, _ = self.programs("--to", sink, "--timeout", "1500ms", expect=1,
                                    hangs=f"{script} hangs {{sink}}", leaves=f"{script} leaves {{sink}}")
            self.assertEqual(rows["hangs"]["error"], "still running after 1500 ms, so it was killed; "
                                                     "--timeout allows more")
            self.assertEqual(rows["leaves"]["error"], "delivered 0 of 1048576 bytes")
        pids = [int(line) for line in marks.read_text().split()]
        self.assertGreaterEqual(len(pids), 2)  # a program may end before its children write
        for pid in pids:
            self.assert_gone(pid)

    def test_a_flood_of_errors_is_bounded(self):
        rows, _ = self.programs("--to", "pipe", expect=1, loud=self.script(
            "import sys\nfor _ in range(2000): sys.stderr.write('x' * 20000)\n"
            "sys.exit('\\x1b[31m' + 'y' * 100000)"))
        self.assertLess(len(rows["loud"]["error"]), 300)

    def test_one_run_and_an_interrupt(self):
        rows, report = self.compare("--size", "64K", "--runs", "1", "--warmup", "0", "--to", "pipe",
                                    "--methods", "none", "--program", "cat=cat")
        self.assertEqual(len(rows["cat"]["program"]["startup_ns"]["runs"]), 1)
        self.assertIsNone(rows["cat"]["program"]["startup_ns"]["stddev"])
        self.assertIsNone(report["verdict"])
        as_json = self.directory / "interrupted.json"
        terminal = Terminal(self, f"{ZCTRACE} compare --size 64K --to pipe --runs 10000 --methods none "
                            f"--program cat=cat --program 'slow=sh -c \"sleep 0.05; cat\"' "
                            f"--json {as_json}", columns=200)
        terminal.wait_for(r"round [2-9]\d*/10000")
        terminal.type("C-c")
        terminal.wait_for("status=130")
        report = json.loads(as_json.read_text())
        for row in report["methods"]:
            self.assertIsNone(row["error"])
            self.assertEqual(len(row["wall_ns"]["runs"]), report["rounds"])
        terminal = Terminal(self, f"{ZCTRACE} compare --size 64K --to pipe --methods none "
                            f"--program 'hangs=sleep 1000'", columns=200)
        terminal.wait_for("verifying hangs")
        terminal.type("C-c")
        self.assertIn("interrupted before the first round", terminal.wait_for("status=130"))

    def test_sigkill_leaves_no_program(self):
        process = self.start([ZCTRACE, "compare", "--size", "1M", "--methods", "none", "--program",
                              "hangs=sleep 1000", "--to", "pipe"],
                             start_new_session=True)
        pids = self.wait_until(lambda: [pid for pid in children(process.pid) if b"sleep" in
                                        pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()],
                               "the program runs")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)
        for pid in pids:
            self.assert_gone(pid)

    def test_a_program_runs_as_the_caller_of_sudo(self):
        for sink in ("unix", "file", "pipe"):
            with self.subTest(sink=sink):
                words = "" if sink == "pipe" else WORDS
                check = self.script(
                    "import os, sys\nassert os.getuid() == 65534, os.getuid()\n" +
                    (SEND if sink == "unix" else
                     "out = open(sys.argv[2] if len(sys.argv) > 2 else '/dev/stdout', 'wb')\n"
                     "out.write(open(sys.argv[1], 'rb').read() if len(sys.argv) > 2 else "
                     "sys.stdin.buffer.read())\n"))
                self.directory.chmod(0o755)
                done = self.zctrace("compare", "--size", "1M", "--runs", "1", "--methods", "none", "--to",
                                    sink, "--program", f"mine={check} {words}", "--json", "-", "-q",
                                    env={**os.environ, "SUDO_UID": "65534", "SUDO_GID": "65534"})
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue(json.loads(done.stdout)["methods"][0]["verified"])

    def test_usage_errors_are_one_clear_line(self):
        for options, text in (
                (["--program", "cat"], "does not begin with NAME="),
                (["--program", "=cat"], "does not begin with NAME="),
                (["--program", "a/b=cat"], "does not begin with NAME="),
                (["--program", "splice=cat"], "--program splice: is the name of a method"),
                (["--program", "x="], "--program x: there is no command"),
                (["--program", "x=cat 'a"], "--program x: a ' is not closed"),
                (["--program", "x=cat {sauce} {sink}"], "--program x: unknown placeholder {sauce}; "
                 "there are {source}, {sink}, {size}, {buffer}; write {{sauce}} for the text {sauce}"),
                (["--program", "x=nc {port} {sink}"], "--program x: {port} needs --to tcp"),
                (["--program", "x=cat"], "--program x: the command has no {sink}"),
                (["--to", "tcp", "--program", "x=cat"], "neither {port} nor {sink}"),
                (["--program", "x=a {sink}", "--program", "x=b {sink}"], "--program x: the name is given "
                                                                       "twice"),
                (["--from", "fuse", "--program", "x=a {sink}"], "--program: cannot be measured from or to "
                                                                "fuse"),
                (["--methods", "none"], "nothing to compare"),
                (["--timeout", "0"], "--timeout"),
                (["--", "true"], "one command is nothing to compare"),
                (["--", "true", ":::"], "a command is empty"),
                (["--"], "no command given"),
                (["--size", "1M", "--", "true", ":::", "true"], "--size: commands that follow")):
            with self.subTest(options=options):
                done = self.zctrace("compare", *options)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr.splitlines()[0])


class Commands(Comparing):
    def commands(self, *words, options=(), expect=0):
        return self.compare("--runs", "3", *options, "--", *words, expect=expect)

    def test_commands_are_compared_by_times_and_counts(self):
        big, copy = self.directory / "big", self.directory / "copy"
        big.write_bytes(os.urandom(4 << 20))
        rows, report = self.commands(
            "dd", f"if={big}", f"of={copy}", "bs=1K", ":::",
            "dd", f"if={big}", f"of={copy}", "bs=1M", ":::", "sh", "-c", f"cat {big} | cat > {copy}")
        self.assertIsNone(report["source"])
        self.assertIsNone(report["sink"])
        small, large, shell = report["methods"]
        self.assertEqual(small["program"]["argv"], ["dd", f"if={big}", f"of={copy}", "bs=1K"])
        self.assertGreater(small["syscalls"], large["syscalls"] + 8000)
        for row in (small, large):
            self.assertIsNone(row["error"])
            self.assertGreaterEqual(row["delivered_bytes"], 4 << 20)
            self.assertAlmostEqual(row["copies"]["per_byte"], 2, delta=0.1)
            self.assertEqual(row["program"]["processes"], 1)
        self.assertEqual(shell["program"]["processes"], 3)
        self.assertIsNotNone(shell["voluntary_switches"])
        self.assertEqual(len(rows), 3)

    def test_a_clear_difference_is_the_verdict(self):
        done = self.zctrace("compare", "--runs", "3", "--", "sleep", "0.001", ":::", "sleep", "0.5")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^Report on 2 commands$")
        self.assertRegex(done.stdout, r"(?m)^Take sleep 0.001.*: [\d.]+ .*times as fast as sleep 0.5")

    def test_failing_and_equal_commands_are_rows(self):
        done = self.zctrace("compare", "--runs", "1", "--", "true", ":::", "true", ":::", "false", ":::",
                            "echo", "{source}", ":::", "/nonexistent", "--json", "-")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^true +\d")
        self.assertRegex(done.stdout, r"(?m)^true \(2\) +\d")
        self.assertRegex(done.stdout, r"(?m)^false +exited with status 1$")
        self.assertRegex(done.stdout, r"(?m)cannot run '/nonexistent'")
        self.commands("false", ":::", "false", expect=1)

    def test_a_saved_comparison_of_commands_prints_the_same(self):
        path = self.directory / "commands.json"
        done = self.zctrace("compare", "--runs", "3", "--json", path, "--html", self.directory / "page",
                            "--", "true", ":::", "cat", "/proc/self/status")
        again = self.zctrace("report", path)
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))
