# SPDX-License-Identifier: MIT
"""The scripts behind `make check`, with stand-ins for what they run."""

import os
import signal
import subprocess

from faults import Faults
from harness import TestCase
from paths import PATIENCE_S, ROOT


class Scripts(TestCase):
    needs_bpf = False

    def write_program(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run_script(self, name, *words, **variables):
        return subprocess.run([ROOT / "scripts" / name, *map(str, words)], capture_output=True,
                              text=True, check=False, timeout=PATIENCE_S,
                              env={name: value for name, value in (os.environ | variables).items()
                                   if value is not None})


class PackagesTest(Scripts):
    """scripts/packages runs apt for what is missing, and leaves nothing enabled."""

    def setUp(self):
        super().setUp()
        self.log = self.directory / "log"
        self.log.touch()
        self.policy = self.directory / "usr/sbin/policy-rc.d"
        self.services = self.directory / "lib/systemd/system"
        self.init_scripts = self.directory / "etc/init.d"
        for directory in (self.policy.parent, self.services, self.init_scripts):
            directory.mkdir(parents=True)
        # Packages named here* are installed, "removed" once was; systemd has a service.
        self.write_program("bin/dpkg-query", """#!/bin/sh
            if [ "$1" = -L ]; then
                for package in "$@"; do
                    [ "$package" != systemd ] || echo /lib/systemd/system/getty@.service \\
                        /lib/systemd/system/networkd.service | tr ' ' '\\n'
                done
                exit 1
            fi
            for package in "$@"; do :; done
            case $package in
                here*) printf installed ;;
                removed) printf config-files ;;
                *) exit 1 ;;
            esac""")
        self.write_program("bin/apt-get", f"""#!/bin/sh
            echo "$DEBIAN_FRONTEND apt-get $*" >> {self.log}""")
        for name in ("systemctl", "update-rc.d"):
            self.write_program(f"bin/{name}", f"""#!/bin/sh
                echo "{name} $*" >> {self.log}""")
        self.write_program("bin/id", "#!/bin/sh\necho 0")
        for name in ("env", "sh", "cat", "chmod", "rm", "grep", "touch", "tr"):
            (self.directory / "bin" / name).symlink_to(f"/usr/bin/{name}")

    def install(self, *packages):
        return self.run_script("packages", *packages, PATH=str(self.directory / "bin"),
                               PACKAGES_ROOT=str(self.directory))

    def write_apt(self, text):
        """An apt-get that installs a server: its services belong to a package that came along."""
        self.write_program("bin/apt-get", f"""#!/bin/sh
            [ "$2" = install ] || exit 0
            touch {self.services}/nginx.service {self.init_scripts}/nginx
            {text}""")

    def calls(self):
        return self.log.read_text().splitlines()

    def test_apt_is_not_run_when_nothing_is_missing(self):
        done = self.install("here", "here-too")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.calls(), [])

    def test_nothing_missing_needs_no_apt(self):
        (self.directory / "bin" / "apt-get").unlink()
        done = self.install("here")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_missing_packages_are_named_where_there_is_no_apt(self):
        (self.directory / "bin" / "apt-get").unlink()
        done = self.install("here", "missing", "other")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing: missing other ", done.stderr)

    def test_commands_and_pkg_config_are_asked_where_there_is_no_dpkg(self):
        for name in ("apt-get", "dpkg-query"):
            (self.directory / "bin" / name).unlink()
        self.write_program("bin/clang", "#!/bin/sh\n")
        self.write_program("bin/pkg-config", "#!/bin/sh\n[ \"$2\" = libbpf ] || [ \"$2\" = fmt ]")
        self.assertEqual(self.install("clang", "libbpf-dev", "libfmt-dev").returncode, 0)
        done = self.install("clang", "bpftool", "libfmt-dev", "libfuse3-dev")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing: bpftool libfuse3-dev ", done.stderr)

    def test_only_missing_packages_are_installed(self):
        done = self.install("here", "missing", "removed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls(), [
            "noninteractive apt-get -q update",
            "noninteractive apt-get -q install -y --no-install-recommends missing removed"])

    def test_services_are_kept_from_starting_and_then_disabled(self):
        self.write_apt(f"""{self.policy}
            echo "policy $?" >> {self.log}""")
        done = self.install("nginx")
        self.assertEqual((done.returncode, self.calls()),
                         (0, ["policy 101", "systemctl --quiet disable nginx.service",
                              "update-rc.d nginx disable"]), done.stderr)
        self.assertFalse(self.policy.exists())

    def test_services_are_disabled_where_there_is_no_systemctl(self):
        (self.directory / "bin/systemctl").unlink()
        self.write_program("bin/deb-systemd-helper", f"""#!/bin/sh
            echo "deb-systemd-helper $*" >> {self.log}""")
        self.write_apt("")
        self.install("nginx")
        self.assertEqual(self.calls(), ["deb-systemd-helper disable nginx.service",
                                        "update-rc.d nginx disable"])

    def test_services_that_were_there_before_stay_enabled(self):
        (self.services / "nginx.service").touch()
        (self.services / "ssh.service").touch()
        self.write_apt("")
        self.install("missing")
        self.assertEqual(self.calls(), ["update-rc.d nginx disable"])

    def test_services_of_systemd_stay_enabled(self):
        self.write_apt(f"touch {self.services}/networkd.service {self.services}/getty@.service")
        self.install("systemd")
        self.assertEqual(self.calls(), ["systemctl --quiet disable nginx.service",
                                        "update-rc.d nginx disable"])

    def test_a_policy_of_the_machine_stays(self):
        self.policy.write_text("#!/bin/sh\nexit 101\n")
        self.assertEqual(self.install("missing").returncode, 0)
        self.assertEqual(self.policy.read_text(), "#!/bin/sh\nexit 101\n")

    def test_an_interrupt_leaves_neither_a_policy_nor_a_service(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                self.log.write_text("")
                (self.services / "nginx.service").unlink(missing_ok=True)
                self.write_apt(f"kill -{number} $PPID")
                done = self.install("nginx")
                self.assertNotEqual(done.returncode, 0)
                self.assertFalse(self.policy.exists())
                self.assertIn("systemctl --quiet disable nginx.service", self.calls())

    def test_a_second_interrupt_does_not_keep_the_services_from_being_disabled(self):
        self.write_apt("kill -INT $PPID")
        self.write_program("bin/systemctl", f"""#!/bin/sh
            kill -INT $PPID
            echo "systemctl $*" >> {self.log}""")
        self.assertNotEqual(self.install("nginx").returncode, 0)
        self.assertEqual(self.calls(), ["systemctl --quiet disable nginx.service",
                                        "update-rc.d nginx disable"])
        self.assertFalse(self.policy.exists())

    def test_ctrl_c_ends_apt_too_and_leaves_neither_a_policy_nor_a_service(self):
        self.write_apt(f"""echo waiting >> {self.log}
            exec cat""")
        started = subprocess.Popen([ROOT / "scripts/packages", "nginx"], stdin=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, start_new_session=True,
                                   env={**os.environ, "PATH": str(self.directory / "bin"),
                                        "PACKAGES_ROOT": str(self.directory)})
        with started:
            self.addCleanup(started.kill)
            self.wait_until(lambda: "waiting" in self.calls(), "apt-get installs")
            # As a terminal does: to the whole group.
            os.killpg(started.pid, signal.SIGINT)
            self.assertNotEqual(started.wait(PATIENCE_S), 0)
        self.assertEqual(self.calls(), ["waiting", "systemctl --quiet disable nginx.service",
                                        "update-rc.d nginx disable"])
        self.assertFalse(self.policy.exists())

    def test_a_policy_of_a_killed_run_forbids_nothing_and_is_removed(self):
        self.write_program("bin/apt-get", f"""#!/bin/sh
            kill -{signal.SIGKILL} $PPID""")
        self.install("missing")
        self.assertTrue(self.policy.exists())
        self.assertEqual(subprocess.run([self.policy], check=False).returncode, 0)
        self.write_program("bin/apt-get", "#!/bin/sh\n")
        self.assertEqual(self.install("missing").returncode, 0)
        self.assertFalse(self.policy.exists())

    def test_an_ordinary_user_installs_by_sudo(self):
        self.write_program("bin/id", "#!/bin/sh\necho 1000")
        self.write_program("bin/sudo", f"""#!/bin/sh
            printf 'sudo ' >> {self.log}
            exec "$@\"""")
        self.assertEqual(self.install("missing").returncode, 0)
        lines = [line for line in self.calls() if "apt-get" in line]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertIn("sudo noninteractive apt-get ", line)

    def test_an_ordinary_user_without_sudo_gets_the_command_to_run(self):
        self.write_program("bin/id", "#!/bin/sh\necho 1000")
        done = self.install("here", "missing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install missing", done.stderr)
        self.assertEqual(self.calls(), [])

    def test_a_failure_of_apt_is_a_failure(self):
        self.write_program("bin/apt-get", "#!/bin/sh\nexit 100")
        self.assertNotEqual(self.install("missing").returncode, 0)
        self.assertFalse(self.policy.exists())


class CheckTest(Scripts):
    """scripts/check adds up its tests, and accepts only the skips it allows."""

    # Prints and reports as a GoogleTest program does.
    PROGRAM = """#!/usr/bin/python3
import json, sys
tests = {tests!r}
chosen = [word.split("=", 1)[1] for word in sys.argv if word.startswith("--gtest_filter=")]
if chosen:
    tests = {{name: result for name, result in tests.items() if chosen[0].strip("*") in name}}
(report,) = [word.split(":", 1)[1] for word in sys.argv if word.startswith("--gtest_output=")]
for name, result in tests.items():
    print("[ RUN      ] Suite." + name)
    print("text of " + name)
    if result == "crash":
        sys.exit(139)
    head = {{"fail": "[  FAILED  ]", "skip": "[  SKIPPED ]"}}.get(result, "[       OK ]")
    print(head + " Suite." + name)
cases = [dict(name=name, time="1.5s", status="RUN", result="SKIPPED" if result == "skip" else "COMPLETED",
              **(dict(failures=[dict(failure="it failed")]) if result == "fail" else dict()))
         for name, result in tests.items()]
json.dump(dict(testsuites=[dict(name="Suite", testsuite=cases)]), open(report, "w"))
sys.exit("fail" in tests.values())
"""

    def check(self, kind, doctor=0, words=(), **tests):
        build = self.directory / "build"
        self.write_program("build/zctrace", f"#!/bin/sh\nexit {doctor}\n")
        self.write_program(f"build/{kind}-tests", self.PROGRAM.format(tests=tests))
        return self.run_script("check", build, kind, *words)

    def assert_ends(self, done, line, status):
        self.assertEqual(done.stdout.splitlines()[-1], line, done.stdout + done.stderr)
        self.assertEqual(done.returncode, status)

    def test_passing(self):
        done = self.check("unit", one="pass", two="pass")
        self.assert_ends(done, "2 passed, 0 failed, 0 skipped", 0)
        self.assertNotIn("text of", done.stdout)

    def test_failing_shows_what_the_test_printed(self):
        done = self.check("unit", one="pass", two="fail", three="skip")
        self.assert_ends(done, "1 passed, 1 failed, 1 skipped", 1)
        self.assertIn("Suite.two\ntext of two\n", done.stdout)
        self.assertNotIn("text of one", done.stdout)

    def test_crash_is_a_failure(self):
        done = self.check("unit", one="pass", two="crash", three="pass")
        self.assert_ends(done, "1 passed, 1 failed, 0 skipped", 1)
        self.assertIn("text of two", done.stdout)

    def test_program_that_is_not_built(self):
        (self.directory / "build").mkdir()
        done = self.run_script("check", self.directory / "build", "unit")
        self.assert_ends(done, "0 passed, 1 failed, 0 skipped", 1)

    def test_skipped_unit_test_is_not_a_failure(self):
        self.assert_ends(self.check("unit", one="pass", two="skip"),
                         "1 passed, 0 failed, 1 skipped", 0)

    def test_kernel_tests_may_skip_where_observing_does_not_work(self):
        done = self.check("kernel", doctor=77, one="skip", two="skip")
        self.assert_ends(done, "0 passed, 0 failed, 2 skipped", 0)
        self.assertIn("text of one", done.stdout)

    def test_kernel_tests_may_not_skip_where_it_works(self):
        done = self.check("kernel", one="pass", two="skip")
        self.assert_ends(done, "1 passed, 0 failed, 1 skipped", 1)
        self.assertIn("Suite.two", done.stdout)

    def test_clones_may_be_skipped_everywhere(self):
        self.assert_ends(self.check("kernel", one="pass", reflink_on_xfs="skip"),
                         "1 passed, 0 failed, 1 skipped", 0)

    def test_durations_and_the_slowest_tests_are_printed(self):
        done = self.check("unit", **{f"number{number}": "pass" for number in range(11)})
        self.assertIn("unit Suite: 11 passed, 16.5 s\n", done.stdout)
        self.assertIn("the 10 slowest of 11 tests:\n     1.5 s  unit Suite.number0\n", done.stdout)

    def test_one_test_is_chosen_by_a_part_of_its_name(self):
        done = self.check("unit", words=["-k", "fine"], fine="pass", broken="fail")
        self.assert_ends(done, "1 passed, 0 failed, 0 skipped", 0)

    def test_a_pattern_that_matches_nothing_fails(self):
        done = self.check("unit", words=["-k", "nosuch"], fine="pass")
        self.assertIn("no test matches nosuch\n", done.stdout)
        self.assert_ends(done, "0 passed, 0 failed, 0 skipped", 1)

    def fuzz(self, status=0, **variables):
        """Runs a stand-in for a fuzz target. Returns what check did, and the target's words."""
        for name in ("FUZZ_S", "FUZZ_SEED"):
            variables.setdefault(name, None)
        self.write_program("build/fuzz/units_fuzz", f"""#!/bin/sh
            printf '%s\\n' "$@" > {self.directory}/words
            echo INFO: Seed: 4711
            echo Done 5 runs in 0 seconds
            exit {status}""")
        done = self.run_script("check", self.directory / "build", "fuzz", "-k", "units_fuzz",
                               **variables)
        return done, (self.directory / "words").read_text().splitlines()

    def test_fuzzing_has_a_fixed_seed_number_and_corpus(self):
        done, words = self.fuzz()
        self.assert_ends(done, "1 passed, 0 failed, 0 skipped", 0)
        self.assertIn("-seed=1", words)
        self.assertIn("-runs=10000", words)
        for word in words:
            self.assertNotRegex(word, "^-max_total_time|/corpus/")
        self.assertIn("-runs=120000", self.fuzz(FUZZ_S="60", FUZZ_SEED="7")[1])

    def test_fuzzing_with_a_new_seed_runs_by_the_clock(self):
        _, words = self.fuzz(FUZZ_SEED="0", FUZZ_S="2")
        self.assertIn("-seed=0", words)
        self.assertIn("-max_total_time=2", words)
        self.assertIn(f"{self.directory}/build/fuzz/corpus/units_fuzz", words)

    def test_fuzz_target_that_fails_tells_its_seed(self):
        done, _ = self.fuzz(status=77)
        self.assertIn("exit status 77, seed 4711\n", done.stdout)
        self.assert_ends(done, "0 passed, 1 failed, 0 skipped", 1)

    def beside_make(self, text):
        """Words and variables for a check whose `make` is a shell script."""
        (self.directory / "build").mkdir()
        self.write_program("bin/make", f"#!/bin/sh\n{text}\n")
        return (["check", self.directory / "build", "lint"],
                {"PATH": f"{self.directory}/bin:{os.environ['PATH']}", "MAKEFLAGS": "w -j --jobserver-fds=3,4"})

    def test_lint_is_a_test_that_takes_only_time_that_nothing_else_wants(self):
        words, variables = self.beside_make(f"""
            echo "$*,$MAKEFLAGS" > {self.directory}/words
            chrt -p $$ > {self.directory}/policy""")
        self.assert_ends(self.run_script(*words, **variables), "1 passed, 0 failed, 0 skipped", 0)
        self.assertRegex((self.directory / "words").read_text(), r"BUILD=\S*/build lint,\n")
        self.assertIn("SCHED_IDLE", (self.directory / "policy").read_text())

    def test_lint_that_fails_shows_what_it_found(self):
        words, variables = self.beside_make("echo a warning; exit 2")
        done = self.run_script(*words, **variables)
        self.assert_ends(done, "0 passed, 1 failed, 0 skipped", 1)
        self.assertIn("exit status 2\na warning\n", done.stdout)

    def test_lint_does_not_outlive_the_tests(self):
        started = self.directory / "started"
        words, variables = self.beside_make(f"""
            echo $$ > {started}
            sleep 1000""")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                started.unlink(missing_ok=True)
                with subprocess.Popen([ROOT / "scripts" / words[0], *words[1:]], env=os.environ | variables,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as check:
                    self.wait_until(lambda: started.exists() and started.read_text().endswith("\n"),
                                    "lint runs")
                    check.send_signal(number)
                    check.wait(PATIENCE_S)
                session = int(started.read_text())
                self.wait_until(lambda: not list(Faults.session_of(session)), "lint is gone")

    def test_usage(self):
        for words in ([], [self.directory, "nosuchkind"]):
            self.assertEqual(self.run_script("check", *words).returncode, 2)
