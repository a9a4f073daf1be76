# SPDX-License-Identifier: MIT
"""What `zctrace compare` concludes, refuses, and prints when it is interrupted."""

import csv
import io
import json
import os
import re

from comparing import Comparing
from paths import ZCTRACE
from terminal import Terminal


class Answers(Comparing):
    def table(self, *options):
        done = self.zctrace("compare", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_one_run_has_no_spread_and_no_winner(self):
        options = ("--size", "1M", "--runs", "1", "--methods", "read_write/4K,sendfile/64K")
        rows, report = self.compare(*options)
        for row in rows.values():
            self.assertIsNone(row["wall_ns"]["stddev"])
        self.assertEqual((report["fastest"], report["cheapest"]), ([], []))
        self.assertEqual(report["rounds"], 1)
        self.assertEqual(report["insights"][0], "1 run of each row is too few to tell which row is "
                                                "fastest; use --runs 3 or more.")
        text = self.table(*options)
        self.assertEqual(text.count("%"), 1 + len(rows), text)  # of the CPU: the title and each row
        for word in ("Take ", "times as fast", "least CPU"):
            self.assertNotIn(word, text)

    def test_by_file_and_by_peer(self):
        options = ("--size", "1M", "--runs", "1", "--methods", "read_write/64K,mmap_write/whole")
        rows, _ = self.compare(*options, "--by", "file")
        copied, mapped = rows["read_write/64K"], rows["mmap_write/whole"]
        (source,) = [file for file in copied["files"] if file["read_bytes"] == 1 << 20]
        self.assertEqual(copied["other_files"]["read_bytes"], 0)
        # Beside it may be files of the program whose pages the kernel had dropped.
        self.assertEqual({file["read_bytes"] for file in mapped["files"]}, {0})
        (of_source,) = [file for file in mapped["files"] if file["path"] == source["path"]]
        if of_source["mapped_bytes"] is not None:  # Linux 6.12
            # Pages that a second fault maps again count again.
            self.assertGreaterEqual(of_source["mapped_bytes"], 1 << 20)
            self.assertLess(of_source["mapped_bytes"], (1 << 20) + (64 << 10))
        for row in rows.values():
            self.assertEqual(sum(peer["sent_bytes"] for peer in row["peers"]), 1 << 20)
        text = self.table(*options, "--by", "file")
        self.assertRegex(text, r"By file, in the run that was observed")
        self.assertRegex(text, r"(?m)^ *METHOD +FILE +READ +WRITTEN")
        self.assertIn(f"{source['path'][-12:]}", text)
        text = self.table(*options, "--by", "peer")
        self.assertRegex(text, r"(?m)^ *read_write/64K +unix ")
        done = self.zctrace("compare", *options, "--by", "peer", "-q", "--csv", "-")
        records = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual({(record["method"], record["sent_bytes"]) for record in records},
                         {(method, str(1 << 20)) for method in rows})
        rows, _ = self.compare(*options)
        self.assertNotIn("files", rows["read_write/64K"])

    def test_a_time_that_means_nothing_is_not_compared(self):
        rows, report = self.compare("--size", "4M", "--runs", "3", "--to", "null", "--methods",
                                    "mmap_write/whole,read_write/4K")
        self.assertTrue(rows["mmap_write/whole"]["supported"])
        self.assertNotIn("mmap_write/whole", report["fastest"] + report["cheapest"])
        self.assertTrue(any("mmap_write/whole" in line and "touches no page" in line
                            for line in report["warnings"]), report["warnings"])
        for line in report["insights"]:
            self.assertNotRegex(line, "mmap_write/whole .*(fastest|least)")

    def test_a_copy_in_user_space_is_not_called_free_of_copies(self):
        _, report = self.compare("--size", "1M", "--runs", "1", "--to", "file", "--methods",
                                 "read_write/64K,sendfile/64K,mmap_memcpy")
        (without,) = (line for line in report["insights"] if "copied no byte" in line)
        self.assertIn("sendfile/64K", without)
        self.assertNotIn("mmap_memcpy", without)
        self.assertTrue(any("mmap_memcpy" in line and "in user space" in line
                            for line in report["insights"]), report["insights"])

    def test_buffers_alone_keep_the_methods(self):
        methods = {row["method"] for row in self.compare("--size", "64K", "--runs", "1")[0].values()}
        rows, _ = self.compare("--size", "64K", "--runs", "1", "--buffers", "4K")
        self.assertEqual({row["method"] for row in rows.values()}, methods)
        self.assertEqual({row["buffer_bytes"] for row in rows.values()}, {4096, 8192})

    def test_an_unsupported_row_keeps_its_errno_at_80_columns(self):
        terminal = Terminal(self, f"{ZCTRACE} compare --size 1M --runs 1 --methods "
                            "read_write/4K,pread_pwrite/64K", columns=80)
        text = terminal.wait_for("status=0")
        self.assertRegex(text, r"(?m)^pread_pwrite +64K +ESPIPE: ")
        header, below = text.split("hidden for lack of width: ")
        self.assertNotIn("CROSSINGS", header)
        self.assertIn("CROSSINGS", below)

    def test_the_answer_comes_first(self):
        text = self.table("--size", "16M", "--runs", "3", "--methods", "read_write/1K,read_write/1M")
        self.assertRegex(text.split("METHOD")[0],
                         "Take |cannot be told apart")

    def test_precision_ends_the_rounds_or_the_runs_do(self):
        options = ("--size", "1M", "--methods", "read_write/4K,sendfile/64K")
        _, report = self.compare(*options, "--precision", "99%")
        self.assertGreaterEqual(report["rounds"], 6)
        self.assertLess(report["rounds"], 100)
        self.assertEqual(report["precision"]["asked"], 0.99)
        self.assertLessEqual(report["precision"]["reached"], 0.99)
        _, report = self.compare(*options, "--precision", "0.0001%", "--runs", "7")
        self.assertEqual(report["rounds"], 7)
        self.assertGreater(report["precision"]["reached"], 0.000001)
        for row in report["methods"]:
            low, high = row["wall_ns"]["median_interval"]
            self.assertLessEqual(low, row["wall_ns"]["median"])
            self.assertGreaterEqual(high, row["wall_ns"]["median"])
        text = self.table(*options, "--precision", "0.0001%", "--runs", "3")
        self.assertRegex(text, r"known within [\d.]+% at worst, not 0.0001%")

    def test_by_syscall_shows_what_the_calls_took(self):
        text = self.table("--size", "1M", "--runs", "1", "--by", "syscall", "--methods",
                          "read_write/64K,splice/64K")
        table = text.split("By syscall")[1]
        self.assertRegex(table, r"METHOD +SYSCALL +CALLS +ERRORS +TOTAL +MIN +MEAN +MAX")
        self.assertRegex(table, r"(?m)^(read_write/64K)? +read +17 +0 ")
        self.assertRegex(table, r"(?m)^(read_write/64K)? +write +16 +0 ")
        self.assertRegex(table, r"(?m)^(splice/64K)? +splice +33 +0 ")
        self.assertNotIn("By syscall", self.table("--size", "1M", "--runs", "1", "--methods",
                                                  "read_write/64K"))

    def test_the_row_to_take_is_marked(self):
        # A method that makes 4096 times the calls of the other.
        text = self.table("--from", "tmpfs", "--to", "null", "--size", "16M", "--runs", "6",
                          "--methods", "read_write/1K,sendfile/4M")
        self.assertRegex(text, r"(?m)^Take sendfile/4M: .* times as fast as read_write/1K")
        self.assertRegex(text, r"(?m)^sendfile \* +4M ")

    def test_cold_is_refused_on_tmpfs(self):
        path = f"/dev/shm/zctrace-test-{os.getpid()}"
        with open(path, "wb") as file:
            file.write(bytes(4096))
        self.addCleanup(os.unlink, path)
        for source in ("tmpfs", path):
            with self.subTest(source=source):
                done = self.zctrace("compare", "--from", source, "--cold", "--size", "1M")
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith("zctrace: --cold: "), done.stderr)

    def test_a_sink_that_cannot_be_made_is_one_line(self):
        done = self.zctrace("compare", "--to", "file:/nonexistent")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("--to file:/nonexistent: ", done.stderr)
        self.assertIn("No such file or directory", done.stderr)

    def test_a_wrong_buffer_of_a_method_names_its_own_option(self):
        done = self.zctrace("compare", "--methods", "read_write/")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--methods read_write/", done.stderr)
        self.assertNotIn("--buffers", done.stderr)


class Interrupted(Comparing):
    def test_an_interrupt_prints_the_rounds_that_are_complete(self):
        as_json, as_csv, as_markdown = (self.directory / name for name in ("j", "c", "m"))
        terminal = Terminal(self, f"{ZCTRACE} compare --size 256K --runs 10000 --methods "
                            f"read_write/4K,splice/64K --json {as_json} --csv {as_csv} "
                            f"--markdown {as_markdown}", columns=200)
        terminal.wait_for(r"round [1-9]\d+/10000")
        terminal.type("C-c")
        shown = terminal.wait_for("status=130")
        (rounds,) = re.findall(r"interrupted after (\d+) of 10000 rounds", shown)
        report = json.loads(as_json.read_text())
        self.assertEqual(report["interrupted_by"], "SIGINT")
        self.assertEqual(report["rounds"], int(rounds))
        for row in report["methods"]:
            self.assertEqual(len(row["wall_ns"]["runs"]), int(rounds), row["label"])
            self.assertGreater(row["syscalls"], 0)
        records = list(csv.DictReader(io.StringIO(as_csv.read_text())))
        self.assertEqual([record["runs"] for record in records], [rounds, rounds])
        self.assertIn(f"interrupted after {rounds} of 10000 rounds", as_markdown.read_text())

    def test_an_interrupt_before_the_first_round_is_one_line(self):
        terminal = Terminal(self, f"{ZCTRACE} compare --size 4M --runs 2 --warmup 10000 --methods "
                            "read_write/1K", columns=200)
        terminal.wait_for("warming up")
        terminal.type("C-c")
        shown = terminal.wait_for("status=130")
        self.assertIn("interrupted before the first round was complete", shown)
        self.assertNotIn("METHOD", shown)

    def test_a_terminal_shows_how_long_it_will_take(self):
        terminal = Terminal(self, f"{ZCTRACE} compare --size 1M --runs 10000 --methods splice/64K",
                            columns=200)
        terminal.wait_for(r"round \d+/10000 splice/64K, about \d+ (s|min) left")
        terminal.type("C-c")
        terminal.wait_for("status=130")
