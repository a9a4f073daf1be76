# SPDX-License-Identifier: MIT
"""The scripts behind `make check`, with stand-ins for what they run."""

import os
import subprocess

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
                              env={**os.environ, **variables})


class Packages(Scripts):
    """scripts/packages asks apt for what is missing, and for nothing else."""

    def setUp(self):
        super().setUp()
        self.log = self.directory / "log"
        self.log.touch()
        # "here" is installed, "removed" once was, nothing else is known.
        self.write_program("bin/dpkg-query", """#!/bin/sh
            for package in "$@"; do :; done
            case $package in
                here*) printf installed ;;
                removed) printf config-files ;;
                *) exit 1 ;;
            esac""")
        self.write_program("bin/apt-get", f"""#!/bin/sh
            echo "$DEBIAN_FRONTEND apt-get $*" >> {self.log}""")
        self.write_program("bin/id", "#!/bin/sh\necho 0")
        for name in ("env", "sh"):
            (self.directory / "bin" / name).symlink_to(f"/usr/bin/{name}")

    def install(self, *packages):
        return self.run_script("packages", *packages, PATH=str(self.directory / "bin"))

    def test_nothing_is_asked_when_all_are_there(self):
        done = self.install("here", "here-too")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.log.read_text(), "")

    def test_only_what_is_missing_is_installed(self):
        done = self.install("here", "missing", "removed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.log.read_text().splitlines(), [
            "noninteractive apt-get -q update",
            "noninteractive apt-get -q install -y --no-install-recommends missing removed"])

    def test_sudo_for_everybody_else(self):
        self.write_program("bin/id", "#!/bin/sh\necho 1000")
        self.write_program("bin/sudo", f"""#!/bin/sh
            printf 'sudo ' >> {self.log}
            exec "$@\"""")
        self.assertEqual(self.install("missing").returncode, 0)
        self.assertEqual(len(self.log.read_text().splitlines()), 2)
        for line in self.log.read_text().splitlines():
            self.assertTrue(line.startswith("sudo noninteractive apt-get "), line)

    def test_neither_root_nor_sudo(self):
        self.write_program("bin/id", "#!/bin/sh\necho 1000")
        done = self.install("here", "missing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install missing", done.stderr)
        self.assertEqual(self.log.read_text(), "")

    def test_apt_that_fails(self):
        self.write_program("bin/apt-get", "#!/bin/sh\nexit 100")
        self.assertNotEqual(self.install("missing").returncode, 0)


class Check(Scripts):
    """scripts/check adds up its tests, and accepts only the skips it allows."""

    # Prints and reports as a GoogleTest program does.
    PROGRAM = """#!/usr/bin/python3
import json, sys
tests = {tests!r}
(report,) = [word.split(":", 1)[1] for word in sys.argv if word.startswith("--gtest_output=")]
for name, result in tests.items():
    print("[ RUN      ] Suite." + name)
    print("text of " + name)
    if result == "crash":
        sys.exit(139)
    head = {{"fail": "[  FAILED  ]", "skip": "[  SKIPPED ]"}}.get(result, "[       OK ]")
    print(head + " Suite." + name)
cases = [dict(name=name, status="RUN", result="SKIPPED" if result == "skip" else "COMPLETED",
              **(dict(failures=[dict(failure="it failed")]) if result == "fail" else dict()))
         for name, result in tests.items()]
json.dump(dict(testsuites=[dict(name="Suite", testsuite=cases)]), open(report, "w"))
sys.exit("fail" in tests.values())
"""

    def check(self, kind, doctor=0, **tests):
        build = self.directory / "build"
        self.write_program("build/zctrace", f"#!/bin/sh\nexit {doctor}\n")
        self.write_program(f"build/{kind}-tests", self.PROGRAM.format(tests=tests))
        return self.run_script("check", build, kind)

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

    def test_usage(self):
        for words in ([], [self.directory, "nosuchkind"]):
            self.assertEqual(self.run_script("check", *words).returncode, 2)
