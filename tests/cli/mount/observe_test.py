# SPDX-License-Identifier: MIT
"""`zctrace mount --observe` and `run --mount`: both sides of a mount are counted."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import unittest

from mounts import AS_NOBODY, CHECKS, MEBIBYTE, READ_BY_MMAP, mounts_at
from observed_mounts import BLOCK, BLOCKS, DATA_CALLS, ObserveTest, rows_of
from paths import PATIENCE_S, ZCTRACE
from processes import children
from report import reports_of

CAPABILITIES = {"CAP_DAC_READ_SEARCH": 2, "CAP_KILL": 5, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21}


def permitted(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"(?m)^CapPrm:\s*(\w+)", status)[1], 16)


class Exact(ObserveTest):
    """One read of an application is one request, and these are the daemon's calls for it."""

    def setUp(self):
        super().setUp()
        self.data = self.file(size=BLOCKS * BLOCK)

    def test_copying(self):
        mounted = self.observe_mount("--threads", "1", "--no-splice", "--cache", "none")
        self.read_blocks()
        # The answer to the release may still be on its way; this answer comes after it.
        self.assertFalse((self.point / "none").exists())
        report = self.stop(mounted)
        self.assert_applications_read(report, BLOCKS, len(self.data))
        sides = report["amplification"]
        self.assertEqual(sides["bytes"], len(self.data))
        self.assertEqual(self.file_of(report, "file")["operations"]["read"]["count"], BLOCKS)
        daemon = rows_of(sides["daemon"])
        self.assertEqual(daemon["pread64", "file", "user"], (BLOCKS, len(self.data)))
        # One more: FUSE_INIT, which the kernel sends itself.
        requests = sides["requests"]["calls"] + 1
        self.assertEqual(daemon["read", "device", "user"][0], requests)
        self.assertEqual(daemon["writev", "user", "device"][0],
                         requests - self.sum_of(report, "forget"))
        self.assertGreater(daemon["writev", "user", "device"][1], len(self.data))
        self.assertFalse([row for row in daemon if row[0] == "splice"])
        # Each byte is read from the file and written to the device.
        self.assertGreater(sides["daemon"]["per_gb"]["copied_bytes"], 2e9)

    def test_splicing(self):
        mounted = self.observe_mount("--threads", "1", "--cache", "none")
        self.read_blocks()
        report = self.stop(mounted)
        self.assert_applications_read(report, BLOCKS, len(self.data))
        sides = report["amplification"]
        self.assertEqual(sides["requests"]["in_kernel_bytes"], len(self.data))
        daemon = rows_of(sides["daemon"])
        self.assertEqual(daemon["splice", "file", "pipe"], (BLOCKS, len(self.data)))
        self.assertEqual(daemon["splice", "pipe", "device"][0],
                         report["daemon"]["replies_spliced"])
        self.assertNotIn(("pread64", "file", "user"), daemon)
        # Only requests, and answers without data, are copied.
        self.assertLess(sides["daemon"]["copied_bytes"], MEBIBYTE // 4)

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_daemon_calls_equal_those_of_strace(self):
        for splice in ([], ["--no-splice"]):
            with self.subTest(splice=splice):
                self.check_against_strace(splice)

    def check_against_strace(self, splice):
        log = self.directory / "strace"
        mounted = self.observe_mount(
            "--threads", "1", "--cache", "none", "-i", "100ms", *splice,
            prefix=["strace", "-f", "-qq", "-y", "-s", "0", "-o", log])
        (pid,) = children(mounted.pid)
        (server,) = [int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                     if (task / "comm").read_text() == "zctrace-fuse\n"]
        self.read_blocks()
        os.kill(pid, signal.SIGINT)
        mounted.stdout, mounted.stderr = mounted.process.communicate(timeout=PATIENCE_S)
        self.assertEqual(mounted.process.returncode, 0, mounted.stderr)
        reports = reports_of(mounted.report_path)
        counted = collections.Counter()
        for report in reports:
            for row in report["amplification"]["daemon"]["rows"]:
                counted[row["syscall"]] += row["calls"]
        # exit never returns, and is not counted.
        calls = [call for call in re.findall(rf"(?m)^{server} +(\w+)\((.*)", log.read_text())
                 if call[0] != "exit"]
        seen = collections.Counter(name for name, _ in calls)
        self.assertEqual({name: counted[name] for name in DATA_CALLS},
                         {name: seen[name] for name in DATA_CALLS})
        # Observation starts some time before the first request.
        first = [name for name, arguments in calls
                 if name not in ("read", "splice") or "/dev/fuse" not in arguments]
        before = next(at for at, (name, arguments) in enumerate(calls)
                      if name in ("read", "splice") and "/dev/fuse" in arguments)
        self.assertIn("futex", first)
        self.assertLessEqual(len(calls) - before, counted.total())
        self.assertLessEqual(counted.total(), len(calls))


class Applications(ObserveTest):
    def test_calls_that_the_page_cache_answers(self):
        self.file()
        mounted = self.observe_mount("--cache", "always")
        self.run_python("import os, sys\nfd = os.open(sys.argv[1], os.O_RDONLY)\n"
                        "for _ in range(1000): os.pread(fd, 4096, 0)", self.point / "file")
        report = self.stop(mounted)
        side = report["amplification"]["applications"]
        self.assertEqual(rows_of(side), {("pread64", "fuse", "user"): (1000, 4096000)})
        self.assertLess(report["amplification"]["requests"]["calls"], 100)

    def test_mappings_have_requests_and_no_calls(self):
        data = self.file()
        mounted = self.observe_mount()
        subprocess.run([sys.executable, "-c", READ_BY_MMAP,
                        self.point / "file"], check=True, stdout=subprocess.DEVNULL)
        report = self.stop(mounted)
        sides = report["amplification"]
        self.assertEqual(sides["applications"]["calls"], 0)
        self.assertEqual(sides["bytes"], len(data))
        self.assertEqual(sides["requests"]["bytes"], len(data))

    def test_inherited_open_file(self):
        data = self.file()
        mounted = self.observe_mount("--cache", "always")
        # The second cat finds everything in the page cache; its only request may be the close.
        subprocess.run(["sh", "-c", f"cat {self.point}/file > /dev/null; exec < {self.point}/file; "
                        "cat > /dev/null"], check=True)
        report = self.stop(mounted)
        self.assertEqual(report["amplification"]["applications"]["bytes"], 2 * len(data))

    def test_users_of_another_mount_are_left_out(self):
        data = self.file()
        other = self.directory / "other"
        other.mkdir()
        elsewhere = self.start([ZCTRACE, "mount", self.source, other, "-q"],
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, ["fusermount3", "-uqz", other], check=False)
        self.wait_for_line(elsewhere.stderr, "is mounted at")
        mounted = self.observe_mount()
        subprocess.run(["cat", other / "file"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cat", self.point / "file"], check=True, stdout=subprocess.DEVNULL)
        report = self.stop(mounted)
        elsewhere.send_signal(signal.SIGINT)
        self.assertEqual(elsewhere.wait(PATIENCE_S), 0)
        self.assertEqual(report["amplification"]["applications"]["bytes"], len(data))

    def test_many_short_lived_processes(self):
        self.file(size=1000)
        mounted = self.observe_mount()
        for _ in range(100):
            subprocess.run(["head", "-c", "1000", self.point / "file"], check=True,
                           stdout=subprocess.DEVNULL)
        self.assert_applications_read(self.stop(mounted), 100, 100000)

    def test_intervals_add_up(self):
        self.file(size=BLOCKS * BLOCK)
        mounted = self.observe_mount("-i", "100ms", "--cache", "none")
        for _ in range(5):
            for _ in range(4):
                self.read_blocks()
            self.wait_for_intervals(mounted.report_path, 1)
        mounted.end()
        reports = reports_of(mounted.report_path)
        self.assertGreaterEqual(len(reports), 5)
        self.assertEqual(sum(report["amplification"]["applications"]["calls"]
                             for report in reports), 20 * BLOCKS)
        self.assertEqual(sum(report["amplification"]["applications"]["bytes"]
                             for report in reports), 20 * BLOCKS * BLOCK)

    def test_the_table_in_every_view(self):
        self.file(size=BLOCKS * BLOCK)
        markdown = self.directory / "md"
        mounted = self.observe_mount("--cache", "none", "--markdown", markdown)
        self.read_blocks()
        self.stop(mounted)
        for text in (mounted.stdout, markdown.read_text()):
            lines = {line.strip("| ").split("  ")[0].split(" |")[0]: line
                     for line in text.splitlines()}
            self.assertRegex(lines["application calls"], r"\b64\b.*4\.0 MiB.*1\.00\b")
            self.assertIn("FUSE requests", lines)
            self.assertIn("daemon syscalls", lines)

    def test_no_amplification_without_observe(self):
        self.file()
        mounted = self.mount()
        (self.point / "file").read_bytes()
        report = mounted.stop()
        self.assertNotIn("amplification", report.json)
        self.assertNotIn("AMPLIFICATION", mounted.stdout)


class Serving(ObserveTest):
    """Observing does not change what the mount does."""

    def test_posix_checks_pass_on_the_mount(self):
        for options in ([], ["--threads", "1"]):
            with self.subTest(options=options):
                mounted = self.observe_mount(*options)
                environment = {**os.environ, "CHECKED_DIRECTORY": str(self.point)}
                done = subprocess.run([*CHECKS, "-f"], env=environment,
                                      capture_output=True, text=True, timeout=300, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                # The checks take a while: other programs that fork may cause losses of their own.
                lost = mounted.stop()["completeness"]["lost"]
                self.assertEqual(lost["uncounted_requests"], 0)
                self.assertEqual(mounts_at(self.point), [])

    def test_sigkill_leaves_no_mount(self):
        mounted = self.observe_mount()
        os.listdir(self.point)
        mounted.process.kill()
        mounted.process.wait()
        self.wait_until(lambda: not mounts_at(self.point), "the watcher unmounts")

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_keeps_the_capabilities_that_unmounting_needs(self):
        mounted = self.observe_mount()
        kept = sum(1 << number for number in CAPABILITIES.values())
        self.wait_until(lambda: permitted(mounted.pid) & ~kept == 0, "zctrace drops the others")
        self.stop(mounted)
        self.assertEqual(mounts_at(self.point), [])


@unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
class OrdinaryUser(ObserveTest):
    def test_two_capabilities_suffice_and_are_dropped(self):
        data = self.file()
        (self.source / "file").chmod(0o644)
        only = ["--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"]
        mounted = self.observe_mount(prefix=[*self.private_device(), *AS_NOBODY, *only])
        self.assertEqual(permitted(mounted.pid), 0)
        subprocess.run(["nsenter", "-t", str(mounted.pid), "-m", *AS_NOBODY, "dd",
                        f"if={self.point}/file", "of=/dev/null", f"bs={BLOCK}"], check=True,
                       stderr=subprocess.DEVNULL)
        # 17 blocks, of which the last is short, and one read at the end of the file.
        self.assert_applications_read(self.stop(mounted), 18, len(data))

    def test_without_bpf_it_is_one_line_and_no_mount(self):
        done = subprocess.run([*self.private_device(), *AS_NOBODY, ZCTRACE,
                               "mount", "--observe", self.source, self.point],
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("CAP_BPF", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(mounts_at(self.point), [])


@unittest.skipIf(os.geteuid() != 0, "needs root for a namespace of its own")
class Run(ObserveTest):
    def test_daemon_is_listed_beside_the_command(self):
        data = self.file(size=BLOCKS * BLOCK)
        done = self.observe("dd", f"if={self.source}/file", "of=/dev/null", f"bs={BLOCK}",
                            f"count={BLOCKS}", mode=["--mount", self.source])
        (process,) = done.report.processes
        self.assertEqual(process["name"], "dd")
        self.assertEqual(done.report["completeness"]["in_flight_at_end"], 0)
        self.assertEqual(done.report["completeness"]["in_flight_at_start"], 0)
        self.assert_applications_read(done.report, BLOCKS, len(data))
        sides = done.report["amplification"]
        self.assertEqual(sides["requests"]["bytes"], len(data))
        daemon = rows_of(sides["daemon"])
        self.assertEqual(daemon["splice", "file", "pipe"][1], len(data))
        self.assertFalse([row for row in done.report.totals["rows"] if row["syscall"] == "splice"])
        self.assertIn("AMPLIFICATION", done.stderr)

    def test_by_thread(self):
        data = self.file(size=BLOCKS * BLOCK)
        report = self.observe("dd", f"if={self.source}/file", "of=/dev/null", f"bs={BLOCK}",
                              f"count={BLOCKS}",
                              mode=["--mount", self.source, "--by", "thread"]).report
        self.assert_applications_read(report, BLOCKS, len(data))
        self.assertEqual(len(report.processes), 1)

    def test_wait_does_not_wait_for_the_daemon(self):
        self.file()
        report = self.observe("sh", "-c", f"cat {self.source}/file > /dev/null &",
                              mode=["--wait", "--mount", self.source]).report
        self.assertEqual(report["amplification"]["applications"]["bytes"], MEBIBYTE + 7)
