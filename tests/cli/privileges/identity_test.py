# SPDX-License-Identifier: MIT
"""Which user runs the command, and which privileges zctrace needs."""

import grp
import json
import os
import pathlib
import pwd
import re
import shlex
import shutil
import subprocess
import sys

from harness import TestCase, doctor, why_not_observable
from paths import NOBODY, PATIENCE_S, ROOT, ZCTRACE, tool
from report import Report
from terminal import Terminal


def as_nobody(*capabilities):
    """The start of a command line that runs the rest without root, with these capabilities."""
    words = [tool("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    listed = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    return [*words, f"--inh-caps={listed}", f"--ambient-caps={listed}"]


# argv: zctrace
WITHOUT_GATHER = """
import ctypes, fcntl, os, socket, struct, subprocess, sys
CLONE_NEWNET, SIOCETHTOOL, ETHTOOL_SSG = 0x40000000, 0x8946, 0x19
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(CLONE_NEWNET) == 0, "unshare: " + os.strerror(ctypes.get_errno())
subprocess.run(["ip", "link", "add", "pageless", "type", "veth", "peer", "name", "other"], check=True)
value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_SSG, 0))
fcntl.ioctl(socket.socket(), SIOCETHTOOL, struct.pack("16sQ", b"pageless", ctypes.addressof(value)))
os.execv(sys.argv[1], [sys.argv[1], "doctor"])
"""


class NeedsRoot(TestCase):
    needs_bpf = False

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("becoming another user needs root")

    def run_as_nobody(self, *words, capabilities=()):
        return subprocess.run([*as_nobody(*capabilities), *map(str, words)], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)

    def skip_where_nothing_works(self):
        if why_not_observable():
            self.skipTest(why_not_observable())


class Doctor(NeedsRoot):
    """One line for each requirement, and a status that says whether `run` works."""

    def test_status_says_whether_run_works(self):
        run = self.zctrace("run", "-q", "--", "true")
        self.assertEqual(doctor().returncode, run.returncode)
        self.assertIn(doctor().returncode, (0, 77))
        self.assertEqual(doctor().stderr, "")

    def test_each_requirement_has_a_line(self):
        lines = doctor().stdout.splitlines()
        for wanted in ("kernel", "BTF", "CAP_BPF", "CAP_PERFMON", "lockdown", "tracepoint sys_exit",
                       "tracepoint sched_switch", "tracepoint io_uring_complete", "FUSE", "kTLS", "scatter-gather"):
            (line,) = [line for line in lines if line.split(None, 1)[1:2] and
                       line.split(None, 1)[1].startswith(wanted + "  ")]
            self.assertIn(line.split()[0], ("ok", "absent", "MISSING", "unknown"))

    def test_each_program_of_the_kernel_has_its_tracepoint_in_the_list(self):
        listed = doctor().stdout
        for source in (ROOT / "bpf").rglob("*.bpf.c"):
            if source.parent.name == "fuse":  # of an object of its own, in one line
                continue
            for name in re.findall(r'SEC\("\??zc_tp_btf/(\w+)"\)', source.read_text()):
                # Kernels have one of these two.
                name = name.replace("io_uring_submit_sqe", "io_uring_submit_(req|sqe)")
                name = name.replace("io_uring_submit_req", "io_uring_submit_(req|sqe)")
                self.assertRegex(listed, rf"(?m)^\w+ +tracepoint {name} ")

    def test_no_word_is_broken_on_a_terminal_of_80_columns(self):
        window = Terminal(self, f"{ZCTRACE} doctor", columns=80, rows=100)
        window.wait_for("status=")
        words = set(doctor().stdout.split())
        shown = window.text().split()
        self.assertIn("scatter-gather", shown)
        self.assertEqual([word for word in shown if word not in words], ["status=0"])

    def test_doctor_asks_the_devices_of_its_own_network_namespace(self):
        # Beside the /sys of another one, which lists other devices.
        tool("ip")
        done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", WITHOUT_GATHER, ZCTRACE],
                              check=False, capture_output=True, text=True, timeout=PATIENCE_S)
        if "unshare" in done.stderr:
            self.skipTest("may not make network namespaces")
        self.assertRegex(done.stdout, r"(?m)^absent +scatter-gather +not in pageless: ")
        done = subprocess.run(["unshare", "--net", ZCTRACE, "doctor"], check=False,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertRegex(done.stdout, r"scatter-gather +in lo of this network namespace")

    def test_json_says_the_same_as_the_lines(self):
        done = self.zctrace("doctor", "--json", "-")
        self.assertEqual((done.returncode, done.stderr), (doctor().returncode, ""))
        found = json.loads(done.stdout)
        self.assertEqual(found["can_observe"], done.returncode == 0)
        lines = doctor().stdout.splitlines()
        for check in found["checks"]:
            state = {"missing": "MISSING"}.get(check["state"], check["state"])
            self.assertTrue([line for line in lines if line.startswith(state) and
                             line.split(None, 1)[1].startswith(check["name"] + " ")], check)

    def test_doctor_lists_what_another_user_lacks(self):
        done = self.run_as_nobody(ZCTRACE, "doctor")
        self.assertEqual((done.returncode, done.stderr), (77, ""))
        for capability in ("CAP_BPF", "CAP_PERFMON"):
            self.assertRegex(done.stdout, rf"(?m)^MISSING +{capability} ")
        path = os.path.realpath(ZCTRACE)
        self.assertEqual(done.stdout.count(f"sudo setcap cap_bpf,cap_perfmon=ep {path}\n"), 1)
        self.assertRegex(done.stdout, r"(?m)^Does not work here: run, ")
        self.assertIn("77", done.stdout)

    def test_mount_works_without_rights(self):
        done = self.run_as_nobody(ZCTRACE, "doctor")
        fuse = os.stat("/dev/fuse").st_mode & 0o006 == 0o006 if os.path.exists("/dev/fuse") else False
        self.assertEqual("Works here: mount." in done.stdout, fuse, done.stdout)

    def test_run_says_the_same_and_runs_nothing(self):
        ran = self.directory / "ran"
        report = self.directory / "report.json"
        done = self.run_as_nobody(ZCTRACE, "run", "--json", report, "--", "touch", ran)
        self.assertEqual(done.returncode, 77)
        self.assertEqual(done.stdout, "")
        lines = [line for line in self.run_as_nobody(ZCTRACE, "doctor").stdout.splitlines()
                 if line.startswith("MISSING")]
        self.assertTrue(lines)
        for line in lines:
            self.assertIn(line.split()[1], done.stderr)
        self.assertIn("setcap cap_bpf,cap_perfmon=ep", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse(ran.exists())
        self.assertFalse(report.exists())

    def test_compare_says_the_same(self):
        done = self.run_as_nobody(ZCTRACE, "compare", "--size", "1M", "--runs", "1")
        self.assertEqual(done.returncode, 77)
        self.assertIn("CAP_BPF", done.stderr)
        self.assertIn("CAP_PERFMON", done.stderr)

    def test_usage_errors_need_no_privileges(self):
        done = self.run_as_nobody(ZCTRACE, "run", "-e", "nosuchcall", "--", "true")
        self.assertEqual(done.returncode, 2)


class Capabilities(NeedsRoot):
    """CAP_BPF and CAP_PERFMON are enough, and both are needed."""

    def test_both_suffice(self):
        self.skip_where_nothing_works()
        done = self.run_as_nobody(ZCTRACE, "doctor", capabilities=("bpf", "perfmon"))
        self.assertEqual(done.returncode, 0, done.stdout)
        path = self.directory / "report.json"
        source = self.directory / "source"
        source.write_bytes(b"x" * 70001)
        done = self.run_as_nobody(ZCTRACE, "run", "-q", "--json", path, "--", "sh", "-c",
                                  f"id -u; cat {source} | wc -c", capabilities=("bpf", "perfmon"))
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", f"{NOBODY}\n70001\n"))
        report = Report(path.read_text())
        self.assertEqual(len(report.processes), 4)
        self.assertGreaterEqual(report.bytes("write", "user", "pipe"), 70001)

    def test_doctor_names_each_that_is_missing(self):
        self.skip_where_nothing_works()
        for held, missing in (("bpf", "CAP_PERFMON"), ("perfmon", "CAP_BPF")):
            with self.subTest(held=held):
                done = self.run_as_nobody(ZCTRACE, "doctor", capabilities=(held,))
                self.assertEqual(done.returncode, 77)
                self.assertRegex(done.stdout, rf"(?m)^MISSING +{missing} ")

    def words_as_nobody(self, words, capabilities):
        """Uses a copy of zctrace, as other users may not be able to read the tree."""
        program = self.directory / "zctrace"
        if not program.exists():
            shutil.copy(ZCTRACE, program)
        return [*as_nobody(*capabilities), str(program), *words]

    def commands(self):
        target = self.start(["cat"], stdin=subprocess.PIPE)
        return {"run": ["run", "-q", "--", "true"],
                "attach": ["attach", "-q", "-p", str(target.pid), "-d", "100ms", "--json", "-"],
                "compare": ["compare", "-q", "--size", "64K", "--runs", "1", "--warmup", "0",
                            "--methods", "read_write/64K", "--json", "-"],
                "export": ["export", "-p", str(target.pid), "--listen", "127.0.0.1:0"],
                "top": ["top", "-p", str(target.pid), "-d", "500ms"]}

    def test_both_suffice_for_every_command(self):
        self.skip_where_nothing_works()
        for name, words in self.commands().items():
            words = self.words_as_nobody(words, ("bpf", "perfmon"))
            with self.subTest(command=name):
                if name == "top":
                    tool("tmux")
                    window = Terminal(self, shlex.join(words))
                    self.assertIn("status=0", window.wait_for("status="))
                elif name == "export":
                    exporter = self.start(words, stderr=subprocess.PIPE, text=True)
                    self.wait_for_line(exporter.stderr, "serving")
                    exporter.terminate()
                    self.assertEqual(exporter.wait(PATIENCE_S), 0)
                else:
                    done = subprocess.run(words, capture_output=True, text=True, check=False,
                                          stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    if name != "run":
                        Report(done.stdout)

    def test_each_is_needed_by_every_command(self):
        self.skip_where_nothing_works()
        for held, missing in (("bpf", "CAP_PERFMON"), ("perfmon", "CAP_BPF")):
            for name, words in self.commands().items():
                words = self.words_as_nobody(words, (held,))
                with self.subTest(command=name, held=held):
                    if name == "top":
                        tool("tmux")
                        window = Terminal(self, shlex.join(words), columns=200)
                        text = window.wait_for("status=")
                        self.assertIn("status=77", text)
                    else:
                        done = subprocess.run(words, capture_output=True, text=True, check=False,
                                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
                        self.assertEqual((done.returncode, done.stdout), (77, ""))
                        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                        text = done.stderr
                    self.assertIn(f"no {missing}; use sudo", text)
                    self.assertIn("setcap cap_bpf,cap_perfmon=ep", text)

    def test_sys_admin_includes_both(self):
        self.skip_where_nothing_works()
        done = self.run_as_nobody(ZCTRACE, "run", "-q", "--", "true", capabilities=("sys_admin",))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_measuring_run_times_needs_sys_admin(self):
        self.skip_where_nothing_works()
        if pathlib.Path("/proc/sys/kernel/bpf_stats_enabled").read_text() != "0\n":
            self.skipTest("the kernel measures run times anyway")
        done = self.run_as_nobody(ZCTRACE, "export", "-a", "--cost", "--listen", "127.0.0.1:0",
                                  capabilities=("bpf", "perfmon"))
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (77, "", 1))
        self.assertRegex(done.stderr, "--cost: cannot measure .*: Operation not permitted; .*sudo")

    def test_capabilities_of_the_program_file(self):
        self.skip_where_nothing_works()
        copy = self.directory / "zctrace"
        shutil.copy(ZCTRACE, copy)
        done = subprocess.run([tool("setcap"), "cap_bpf,cap_perfmon=ep", copy], check=False,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode != 0:
            self.skipTest(f"setcap: {done.stderr.strip()}")
        path = self.directory / "report.json"
        done = self.run_as_nobody(copy, "run", "-q", "--json", path, "--", "grep",
                                  "^Cap[IPEA]", "/proc/self/status")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # The capabilities of the file go to zctrace, not to the command.
        self.assertEqual({line.split()[1] for line in done.stdout.splitlines()}, {"0" * 16})
        (process,) = Report(path.read_text()).processes
        self.assertEqual(process["name"], "grep")
        self.assertGreater(process["max_rss_bytes"], 0)

    def test_zctrace_drops_what_it_no_longer_needs(self):
        self.skip_where_nothing_works()
        run = self.start([ZCTRACE, "run", "-q", "--", "sh", "-c",
                          "echo ready; read line; grep CapEff /proc/$PPID/status"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(run.stdout.readline(), "ready\n")
        stdout, _ = run.communicate("on\n", timeout=PATIENCE_S)
        held = int(stdout.split()[1], 16)
        forbidden = {"CAP_SYS_ADMIN": 21, "CAP_BPF": 39, "CAP_PERFMON": 38, "CAP_SETUID": 7,
                     "CAP_DAC_OVERRIDE": 1, "CAP_SYS_PTRACE": 19}
        self.assertEqual([name for name, bit in forbidden.items() if held >> bit & 1], [])


class UnderSudo(NeedsRoot):
    """The command runs as the user who called sudo, unless --as-root."""

    IDENTITY = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME; grep CapEff /proc/self/status"

    def setUp(self):
        super().setUp()
        self.skip_where_nothing_works()

    def identity(self, *options, **variables):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("SUDO_")}
        done = self.zctrace("run", "-q", *options, "--", "sh", "-c", self.IDENTITY,
                            env={**environment, **variables})
        self.assertEqual(done.returncode, 0, done.stderr)
        uid, gid, groups, names, capabilities = done.stdout.splitlines()
        return int(uid), int(gid), {int(group) for group in groups.split()}, names, \
            int(capabilities.split()[1], 16)

    def test_caller_with_all_groups(self):
        # A user with supplementary groups, if there is one.
        members = {member for group in grp.getgrall() for member in group.gr_mem}
        users = [user for user in pwd.getpwall() if user.pw_uid != 0]
        user = next((user for user in users if user.pw_name in members), users[-1])
        uid, gid, groups, names, capabilities = self.identity(SUDO_UID=str(user.pw_uid),
                                                              SUDO_GID=str(user.pw_gid))
        self.assertEqual((uid, gid), (user.pw_uid, user.pw_gid))
        self.assertEqual(groups, set(os.getgrouplist(user.pw_name, user.pw_gid)))
        self.assertEqual(names, f"{user.pw_dir} {user.pw_name} {user.pw_name}")
        self.assertEqual(capabilities, 0)

    def test_caller_without_an_account(self):
        uid, gid, groups, _, capabilities = self.identity(SUDO_UID="54321", SUDO_GID="54322")
        self.assertEqual((uid, gid, groups, capabilities), (54321, 54322, {54322}, 0))

    def test_as_root(self):
        uid, gid, _, _, capabilities = self.identity("--as-root", SUDO_UID=str(NOBODY),
                                                     SUDO_GID=str(NOBODY))
        self.assertEqual((uid, gid), (0, 0))
        self.assertNotEqual(capabilities, 0)

    def test_root_calling_sudo_stays_root(self):
        self.assertEqual(self.identity(SUDO_UID="0", SUDO_GID="0")[:2], (0, 0))

    def test_without_sudo(self):
        self.assertEqual(self.identity()[:2], (0, 0))

    def test_invalid_sudo_uid_runs_nothing(self):
        ran = self.directory / "ran"
        for value in ("root", "", "-1", "99999999999", "12x"):
            with self.subTest(value=value):
                done = self.zctrace("run", "--", "touch", ran,
                                    env={**os.environ, "SUDO_UID": value, "SUDO_GID": "100"})
                self.assertEqual(done.returncode, 1)
                self.assertIn("SUDO_UID", done.stderr)
                self.assertFalse(ran.exists())

    def test_command_of_the_caller_is_observed_to_its_end(self):
        path = self.directory / "report.json"
        program = self.program("generations")
        done = self.zctrace("run", "-q", "--json", path, "--", program,
                            env={**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)})
        if done.returncode in (126, 127):
            self.skipTest(f"{program} cannot be reached by other users")
        self.assert_known(program, Report(path.read_text()), done.stdout)

    def test_program_that_the_caller_may_not_run(self):
        secret = self.directory / "secret"
        shutil.copy("/bin/true", secret)
        secret.chmod(0o700)
        done = self.zctrace("run", "--", secret,
                            env={**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)})
        self.assertEqual(done.returncode, 126)
        self.assertIn("use --as-root to run it as root", done.stderr)

    def test_hint_at_root_after_a_denial_only(self):
        caller = {**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
        secret = self.directory / "secret"
        secret.touch(0o600)
        denied = f"cat {secret}"
        cases = [((), denied, True), ((), "exit 1", False), ((), f"{denied}; true", False),
                 (("-q",), denied, False), (("--as-root",), denied, False)]
        for options, command, hints in cases:
            with self.subTest(options=options, command=command):
                done = self.zctrace("run", *options, "--", "sh", "-c", command, env=caller)
                self.assertEqual("use --as-root to run it as root" in done.stderr, hints, done.stderr)
