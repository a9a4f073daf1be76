# SPDX-License-Identifier: MIT
"""zctrace in namespaces, under lockdown, and without the kernel's BTF."""

import os
import pathlib
import platform
import re
import signal
import subprocess

from harness import TestCase, in_both_modes
from paths import PATIENCE_S, ZCTRACE
from processes import children
from report import Report

EVERY_NAMESPACE = ["--net", "--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork",
                   "--mount-proc"]


class Confined(TestCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("making namespaces needs root")

    def zctrace_in(self, prefix, *words):
        return subprocess.run([*map(str, prefix), ZCTRACE, *map(str, words)], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False,
                              timeout=PATIENCE_S, cwd=self.directory)

    def in_own_mounts(self, script):
        """A prefix that runs a shell script with mounts, in a mount namespace, before the command."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                f'{{ {script}; }} && exec "$@"', "sh"]


class RunInNamespaces(Confined):
    """The counts are the same as outside; pids are those of zctrace's namespace."""

    def check(self, unshare, mode):
        path = self.directory / "report.json"
        program = self.program("generations")
        done = self.zctrace_in(["unshare", *unshare], "run", *mode, "-q", "--json", path, "--",
                               program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = Report(path.read_text())
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assert_known(program, report, done.stdout)
        return report

    @in_both_modes
    def test_net(self, mode):
        self.check(["--net"], mode)

    @in_both_modes
    def test_mount(self, mode):
        self.check(["--mount"], mode)

    @in_both_modes
    def test_pid(self, mode):
        report = self.check(["--pid", "--fork", "--mount-proc"], mode)
        # zctrace is the first process in the namespace, and the command the second.
        self.assertEqual(report.processes[0]["pid"], 2)
        self.assertEqual(report.processes[0]["parent_pid"], 1)
        self.assertLess(max(process["pid"] for process in report.processes), 100)

    @in_both_modes
    def test_all_at_once(self, mode):
        self.check(EVERY_NAMESPACE, mode)

    def test_child_in_a_namespace_of_its_own(self):
        path = self.directory / "report.json"
        done = self.zctrace("run", "-q", "--json", path, "--", "unshare", "--pid", "--fork", "sh",
                            "-c", "echo $$; cat /etc/hostname | wc -c")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split()[0], "1")
        report = Report(path.read_text())
        # All are listed by their pids outside.
        self.assertEqual(len({process["pid"] for process in report.processes}), 4)
        self.assertNotIn(1, [process["pid"] for process in report.processes])

    def test_run_accepts_proc_of_another_namespace(self):
        path = self.directory / "report.json"
        done = self.zctrace_in(["unshare", "--pid", "--fork"], "run", "-q", "--json", path, "--",
                               "true")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(Report(path.read_text()).processes[0]["pid"], 2)


class AttachInPidNamespace(Confined):
    """Only processes in the namespace can be targets, and only they are counted."""

    def setUp(self):
        super().setUp()
        self.holder = self.start(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
                                  "echo ready; exec cat"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        self.wait_for_line(self.holder.stdout, "ready")
        (self.init,) = children(self.holder.pid)

    def inside(self, *words, **options):
        """Starts a command in the namespace; returns nsenter, which waits for it, and its pid."""
        process = self.start(["nsenter", "-t", self.init, "--pid", "--mount", *words], **options)
        (pid,) = self.wait_until(lambda: children(process.pid), "nsenter forks")
        return process, pid

    def commanded(self, inside, name="commanded"):
        program = self.directory / name
        if not program.exists():
            program.write_bytes(self.program("commanded").read_bytes())
            program.chmod(0o755)
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = self.inside(program, **streams)[0] if inside else self.start([program], **streams)
        self.wait_for_line(process.stdout, "ok")
        return process

    def tell(self, process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        self.wait_for_line(process.stdout, "ok")

    def attach(self, *words):
        self.path = self.directory / "report.json"
        process, pid = self.inside(ZCTRACE, "attach", "--json", self.path, *words,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.wait_for_line(process.stderr, "observing")
        return process, pid

    @staticmethod
    def number_inside(process):
        (pid,) = children(process.pid)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^NSpid:.*\s(\d+)$", status, re.MULTILINE)[1])

    def assert_only(self, pid, writes):
        report = Report(self.path.read_text())
        self.assertEqual(report["completeness"]["lost_events"], 0)
        moved = {process["pid"]: sum(row["bytes"] for row in process["rows"]
                                     if (row["syscall"], row["to"]) == ("write", "device"))
                 for process in report.processes}
        self.assertEqual({pid: bytes_ for pid, bytes_ in moved.items() if bytes_}, {pid: writes})
        return report

    def test_by_pid(self):
        target = self.commanded(inside=True)
        number = self.number_inside(target)
        attached, _ = self.attach("-p", number)
        self.tell(target, "write 101 7")
        target.stdin.close()
        self.assertEqual(attached.wait(PATIENCE_S), 0)
        report = self.assert_only(number, 707)
        self.assertEqual(len(report.processes), 1)

    def check_newcomers(self, *words):
        attached, pid = self.attach(*words)
        outside = self.commanded(inside=False, name="alpha-out")
        self.tell(outside, "write 103 7")
        outside.stdin.close()
        outside.wait(PATIENCE_S)
        target = self.commanded(inside=True, name="alpha-in")
        number = self.number_inside(target)
        self.tell(target, "write 101 7")
        os.kill(pid, signal.SIGINT)
        self.assertEqual(attached.wait(PATIENCE_S), 0)
        return self.assert_only(number, 707)

    def test_all_processes(self):
        report = self.check_newcomers("-a")
        self.assertIn(1, [process["pid"] for process in report.processes])
        # The parent of its first process has no pid in the namespace.
        self.assertEqual(report.process(1)["parent_pid"], 0)

    def test_by_name(self):
        report = self.check_newcomers("-n", "alpha-*", "--wait")
        self.assertEqual(len(report.processes), 1)

    def test_by_name_of_the_executable(self):
        # 15 characters are the most that comm holds.
        self.commanded(inside=False, name="alpha")
        report = self.check_newcomers("-n", "?lpha-in", "-n", "?lpha-out", "--wait")
        self.assertEqual(len(report.processes), 1)

    def test_proc_of_another_namespace_is_refused(self):
        done = self.zctrace_in(["unshare", "--pid", "--fork"], "attach", "-p", "1")
        self.assertEqual(done.returncode, 77)
        self.assertEqual(done.stderr, "zctrace: /proc belongs to another PID namespace; mount "
                                      "that of this one: mount -t proc proc /proc\n")

    def test_no_proc(self):
        for words in (["attach", "-a"], ["run", "--", "true"]):
            done = self.zctrace_in(self.in_own_mounts("mount -t tmpfs none /proc"), *words)
            self.assertEqual(done.returncode, 77, done.stderr)
            self.assertIn("mount -t proc proc /proc", done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class WithoutBtf(Confined):
    """The kernel has no BTF, or /sys does not show it."""

    COMMANDS = (["run", "--", "touch", "ran"], ["attach", "-a"], ["export", "-a"],
                ["compare", "--size", "1M"])

    def hidden(self, *behind):
        empty = self.directory / "empty"
        empty.mkdir(exist_ok=True)
        return self.in_own_mounts(" && ".join(
            [f"cp /sys/kernel/btf/vmlinux {self.directory}/btf",
             f"mount --bind {empty} /sys/kernel/btf", *behind]))

    def test_every_command_says_so(self):
        for words in self.COMMANDS:
            with self.subTest(words=words):
                done = self.zctrace_in(self.hidden(), *words)
                self.assertEqual(done.returncode, 77)
                self.assertEqual(done.stdout, "")
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("BTF: /sys/kernel/btf/vmlinux: No such file", done.stderr)
                self.assertIn("CONFIG_DEBUG_INFO_BTF=y", done.stderr)
        self.assertFalse((self.directory / "ran").exists())

    def test_doctor_does_not_guess(self):
        done = self.zctrace_in(self.hidden(), "doctor")
        self.assertEqual((done.returncode, done.stderr), (77, ""))
        missing = [line for line in done.stdout.splitlines() if line.startswith("MISSING")]
        self.assertEqual([line.split()[1] for line in missing], ["BTF", "tracepoints"])
        self.assertNotIn("not in this kernel", done.stdout)

    def test_unmounted_sys(self):
        done = self.zctrace_in(self.in_own_mounts("mount -t tmpfs none /sys"), "run", "--", "true")
        self.assertEqual(done.returncode, 77)
        self.assertIn("mount -t sysfs sysfs /sys", done.stderr)
        self.assertNotIn("CONFIG_", done.stderr)

    def test_btf_from_the_kernel_image_suffices(self):
        image = f"/boot/vmlinux-{platform.release()}"
        prefix = self.hidden("mount -t tmpfs none /boot", f"cp {self.directory}/btf {image}")
        done = self.zctrace_in(prefix, "doctor")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        path = self.directory / "report.json"
        program = self.program("generations")
        done = self.zctrace_in(prefix, "run", "-q", "--json", path, "--", program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assert_known(program, Report(path.read_text()), done.stdout)


class Lockdown(Confined):
    """Lockdown cannot be undone, so this tests the state of this machine; unit tests have others."""

    def test_doctor_says_what_the_kernel_says(self):
        prefix = self.in_own_mounts("mount -t securityfs none /sys/kernel/security")
        done = self.zctrace_in(prefix, "doctor")
        (line,) = [line for line in done.stdout.splitlines() if line.split()[1:2] == ["lockdown"]]
        modes = subprocess.run([*prefix, "cat", "/sys/kernel/security/lockdown"], text=True,
                               capture_output=True, check=False, timeout=PATIENCE_S).stdout
        state = re.search(r"\[(\w+)\]", modes + "[none]")[1]
        self.assertIn(state, line)
        # This class does not run where observing does not work.
        self.assertEqual(line.split()[0], "ok")
        self.assertEqual(self.zctrace_in(prefix, "run", "-q", "--", "true").returncode, 0)

    def test_unmounted_securityfs_is_not_reported_as_no_lockdown(self):
        prefix = self.in_own_mounts("mount -t tmpfs none /sys/kernel/security")
        done = self.zctrace_in(prefix, "doctor")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^unknown +lockdown +securityfs")
