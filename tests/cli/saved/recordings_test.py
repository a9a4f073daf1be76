# SPDX-License-Identifier: MIT
"""`--record`: an SQLite file that can be read at every moment."""

import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess

from attached import Attach
from paths import PATIENCE_S, ROOT, ZCTRACE
from recordings import query
from report import Report

BUSY = ["sh", "-c", "while :; do cat /etc/passwd >/dev/null; done"]


class Recordings(Attach):
    def report(self, path, *options):
        done = self.zctrace("report", "-q", "--json", "-", *options, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Report(done.stdout)

    def intervals(self, path):
        try:
            return query(path, "SELECT count(*) FROM intervals")[0]
        except sqlite3.OperationalError:  # not made yet
            return 0

    def tmpfs(self, size):
        path = self.directory / "small"
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=True)
        return path

    def fill(self, directory):
        subprocess.run(["sh", "-c", f"cat /dev/zero > {directory}/filler"],
                       stderr=subprocess.DEVNULL, check=False)

    def test_of_a_run(self):
        path = self.directory / "r.db"
        saved = self.directory / "r.json"
        done = self.zctrace("run", "--record", path, "-i", "50ms", "--json", saved, "--", "sh", "-c",
                            "for i in 1 2 3 4 5 6; do cat /etc/passwd >/dev/null; sleep 0.05; done")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(query(path, "PRAGMA integrity_check"), ("ok",))
        self.assertEqual(self.zctrace("report", path).stdout, done.stderr)
        self.assertEqual(self.zctrace("report", "-q", "--json", "-", path).stdout,
                         saved.read_text())
        self.assertGreater(self.intervals(path), 1)
        # Its intervals add up to the report.
        whole = Report(saved.read_text()).totals
        self.assertEqual(query(path, "SELECT sum(syscalls), sum(copied_bytes) FROM totals"),
                         (whole["syscalls"], whole["copied_bytes"]))
        part = self.report(path, "--to", "100ms").totals
        self.assertLess(part["syscalls"], whole["syscalls"])

    def test_while_it_grows(self):
        target = self.commanded()
        path = self.directory / "r.db"
        attached = self.attach("-p", target.pid, "--record", path, "-i", "50ms")
        for _ in range(3):
            before = self.intervals(path)
            self.tell(target, "write 101 7")
            self.wait_until(lambda: self.intervals(path) > before + 1, "two more intervals")
            self.assertEqual(query(path, "PRAGMA integrity_check"), ("ok",))
            self.report(path)
        attached.send_signal(signal.SIGINT)
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual((attached.returncode, errors), (0, ""))
        self.assert_writes(self.report(path).totals, 303, 3 * 707)
        self.assertEqual(sorted(p.name for p in self.directory.glob("r.db*")), ["r.db"])

    def test_a_reader_never_finds_it_locked(self):
        target = self.start(BUSY)
        path = self.directory / "r.db"
        self.attach("-p", target.pid, "--record", path, "-i", "10ms")
        self.wait_until(lambda: self.intervals(path) > 0, "there are intervals")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0) as database:
            while database.execute("SELECT count(*) FROM intervals").fetchone()[0] < 50:
                pass

    def as_nobody(self, *command):
        done = self.start(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *command],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return (*done.communicate(timeout=PATIENCE_S), done.returncode)

    def test_a_reader_that_may_not_write(self):
        """While it grows, and after SIGKILL."""
        target = self.start(BUSY)
        self.directory.chmod(0o755)
        path = self.directory / "r.db"
        attached = self.attach("-p", target.pid, "--record", path, "-i", "50ms")
        self.wait_until(lambda: self.intervals(path) > 1, "there are intervals")
        for file in self.directory.glob("r.db*"):
            file.chmod(0o644)
        for killed in (False, True):
            if killed:
                attached.kill()
                attached.wait(PATIENCE_S)
            found, errors, status = self.as_nobody("sqlite3", path, "SELECT count(*) FROM intervals")
            self.assertEqual((errors, status), ("", 0))
            self.assertGreater(int(found), 1)
            found, errors, status = self.as_nobody(ZCTRACE, "report", "-q", "--json", "-", path)
            self.assertEqual((errors, status), ("", 0))
            self.assertGreater(Report(found).totals["syscalls"], 0)
        # Without its log, where a log cannot be made.
        alone = self.directory / "alone"
        alone.mkdir(mode=0o755)
        copy = alone / "r.db"
        copy.write_bytes(path.read_bytes())
        _, errors, status = self.as_nobody(ZCTRACE, "report", copy)
        self.assertEqual(status, 1)
        self.assertIn("it was cut off: copy it, and its '-wal'", errors)

    def test_where_files_cannot_be_mapped(self):
        """On FUSE with direct I/O a log has no index that programs share."""
        source, mounted = self.directory / "source", self.directory / "mounted"
        source.mkdir()
        mounted.mkdir()
        mount = self.start([ZCTRACE, "mount", "-q", "--cache", "none", source, mounted],
                           stderr=subprocess.DEVNULL)
        self.wait_until(mounted.is_mount, "it is mounted")
        self.addCleanup(subprocess.run, ["umount", "-l", mounted], check=False,
                        stderr=subprocess.DEVNULL)
        path = mounted / "r.db"
        done = self.zctrace("run", "-q", "--record", path, "-i", "50ms", "--", "cat", "/etc/passwd")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(self.report(path).totals["syscalls"], 0)
        self.assertEqual([file.name for file in mounted.iterdir()], ["r.db"])
        subprocess.run(["umount", mounted], check=True)
        mount.wait(PATIENCE_S)

    def test_after_sigkill(self):
        target = self.start(BUSY)
        for attempt in range(5):
            path = self.directory / f"{attempt}.db"
            attached = self.attach("-p", target.pid, "--record", path, "-i", "10ms",
                                   path=self.directory / f"report-{attempt}.json")
            self.wait_until(lambda path=path: self.intervals(path) > 3 + attempt,
                            "there are intervals")
            attached.kill()
            attached.wait(PATIENCE_S)
            beside = sorted(file.name for file in self.directory.glob(f"{path.name}*"))
            self.assertEqual(beside, [path.name, f"{path.name}-shm", f"{path.name}-wal"])
            self.assertGreater(self.report(path).totals["syscalls"], 0)
            # What read it has put everything into the file.
            self.assertEqual([file.name for file in self.directory.glob(f"{path.name}*")], [path.name])
            self.assertEqual(query(path, "PRAGMA integrity_check"), ("ok",))

    def test_when_the_disk_is_full(self):
        target = self.start(BUSY)
        small = self.tmpfs("400k")
        path = small / "r.db"
        attached = self.attach("-p", target.pid, "--record", path, "-i", "20ms")
        self.wait_until(lambda: self.intervals(path) > 1, "there are intervals")
        self.fill(small)
        self.wait_for_line(attached.stderr, "full")
        attached.send_signal(signal.SIGINT)
        _, errors = attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 1, errors)
        self.assertIn("missing from the recording", errors)
        self.assertEqual(query(path, "PRAGMA integrity_check"), ("ok",))
        # The reports are whole all the same.
        last = Report(attached.report_path.read_text().splitlines()[-1])
        self.assertEqual(last["completeness"]["lost_events"], 0)

    def test_goes_on_when_there_is_space_again(self):
        target = self.commanded()
        small = self.tmpfs("600k")
        path = small / "r.db"
        attached = self.attach("-p", target.pid, "--record", path, "-i", "50ms")
        self.wait_until(lambda: self.intervals(path) > 0, "there are intervals")
        self.fill(small)
        self.tell(target, "write 101 7")
        self.wait_for_line(attached.stderr, "full")
        (small / "filler").unlink()
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        self.assertEqual(query(path, "SELECT sum(calls), sum(bytes) FROM rows WHERE "
                                     "syscall = 'write' AND to_kind = 'device'"), (101, 707))

    def test_of_a_thousand_processes(self):
        path = self.directory / "r.db"
        script = "for i in $(seq 1000); do cat /etc/passwd >/dev/null & done; wait"
        done = self.zctrace("run", "-q", "--record", path, "-i", "100ms", "--", "bash", "-c", script)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = self.report(path)
        self.assertEqual(report.process_count, 1002)
        # Some cats may have ended and joined the other processes within one interval.
        self.assertEqual(query(path, "SELECT sum(calls) FROM rows JOIN processes p ON p.id = process "
                                     "WHERE p.name IN ('cat', '(other processes)') "
                                     "AND to_kind = 'device' AND syscall = 'write'")[0], 1000)

    def test_files_and_peers(self):
        path = self.directory / "r.db"
        big = self.directory / "big"
        big.write_bytes(bytes(1 << 20))
        self.zctrace("run", "-q", "--by", "file", "--record", path, "--", "cp", big,
                     self.directory / "copy")
        self.assertEqual(query(path, f"SELECT sum(read_bytes) FROM files WHERE path = '{big}'"),
                         (1 << 20,))
        self.assertIn(str(big), self.zctrace("report", path).stdout)

    def test_is_its_owners(self):
        path = self.directory / "r.db"
        self.zctrace("run", "-q", "--record", path, "--", "true")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        done = self.zctrace("run", "-q", "--record", path, "--", "true")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it exists", done.stderr)

    def test_belongs_to_the_user_of_sudo_who_owns_the_directory(self):
        """attach drops its capabilities, and still writes where only that user may."""
        user = 65534
        home = self.directory / "home"
        home.mkdir(mode=0o700)
        os.chown(home, user, user)
        target = self.start(BUSY)
        path = home / "r.db"
        done = self.zctrace("attach", "-q", "-p", target.pid, "-d", "300ms", "-i", "50ms", "--record",
                            path, env={**os.environ, "SUDO_UID": str(user), "SUDO_GID": str(user)})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(path.stat().st_uid, user)
        self.assertGreater(self.intervals(path), 0)

    def test_a_command_that_cannot_start_leaves_no_file(self):
        path = self.directory / "r.db"
        self.assertEqual(self.zctrace("run", "--record", path, "--", "/nowhere").returncode, 127)
        self.assertFalse(path.exists())

    def test_difference_of_recordings(self):
        paths = []
        for name in "ab":
            path = self.directory / name
            self.zctrace("run", "-q", "--record", path, "--", "cat", "/etc/passwd",
                         stdout=subprocess.DEVNULL)
            paths.append(path)
        done = self.zctrace("diff", "-q", "--json", "-", *paths)
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = {(figure["scope"], figure["name"]): figure
                   for figure in json.loads(done.stdout)["figures"]}
        self.assertEqual(figures["totals", "copied_bytes"]["change"], 0)

    def test_the_questions_of_the_document_have_such_answers(self):
        """Numbers differ from run to run; names, columns and their order do not."""
        text = (ROOT / "docs" / "recording.md").read_text()
        (command,) = re.findall(r"`zctrace (run --by file --record .*?)`", text, re.DOTALL)
        words = [word for word in shlex.split(command.replace("\n", " ")) if word != "r.db"]
        place = words.index("--record") + 1
        (self.directory / "big").write_bytes(os.urandom(15_000_000))
        path = self.directory / "r.db"
        done = self.zctrace(*words[:place], path, *words[place:], cwd=self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        questions = re.findall(r"```sql\n(.*?)```\n\n(?:```\n(.*?)```|(.*?)\n\n)", text + "\n\n",
                               re.DOTALL)
        self.assertEqual(len(questions), 10)
        for sql, answer, sentence in questions:
            with self.subTest(sql):
                with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                    found = database.execute(sql).fetchall()
                if not answer:
                    self.assertIn(found, ([], [(None,)]), sentence)
                    continue
                said = [line.split("|") for line in answer.splitlines() if line != "..."]
                self.assertEqual({len(row) for row in found}, {len(row) for row in said})
                self.assertGreaterEqual(len(found), len(said) - 1)
                if sql.startswith("SELECT interval"):
                    continue  # which calls they are depends on the time
                names = {cell for row in said for cell in row
                         if re.fullmatch(r"[a-z][a-z0-9_:]*", cell)}
                self.assertEqual(names - {str(cell) for row in found for cell in row}, set())

    def test_a_report_is_what_the_command_printed(self):
        for options in (["--advise"], ["--profile"], ["--by", "file"], ["--by", "thread"],
                        ["--no-latency"], ["-e", "%copy"]):
            with self.subTest(options):
                path = self.directory / "-".join(["r", *options])
                done = self.zctrace("run", "--record", path, *options, "--", "sh", "-c",
                                    "dd if=/dev/zero bs=1M count=5 status=none | cat >/dev/null")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.zctrace("report", path).stdout, done.stderr)

    def test_refuses_what_cannot_be_recorded(self):
        for words, message in ((["run", "--record", "x", "--mount", "/tmp", "--", "true"],
                                "cannot be combined"),
                               (["run", "--record", "/nowhere/x", "--", "true"], "No such file"),
                               (["report", "--from", "1s", "/dev/null"], "--record")):
            done = self.zctrace(*words, cwd=self.directory)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(message, done.stderr)
