# SPDX-License-Identifier: MIT
"""`zctrace mount`: the file system behaves as its source does."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import unittest

from mounts import AS_NOBODY, CHECKS, MEBIBYTE, MountTest
from paths import PATIENCE_S, ROOT


class Content(MountTest):
    MODES = {"default": [], "copying": ["--no-splice"], "no cache": ["--cache", "none"],
             "all cached": ["--cache", "always"], "one thread": ["--threads", "1"], "passthrough": ["--passthrough"]}

    def test_posix_checks_pass_in_the_plain_directory(self):
        environment = {**os.environ, "CHECKED_DIRECTORY": str(self.source)}
        done = subprocess.run(CHECKS, env=environment, capture_output=True,
                              text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_posix_checks_pass_on_the_mount(self):
        for name, options in self.MODES.items():
            with self.subTest(name):
                report = self.check_posix(options)
                self.assertEqual(report["completeness"]["lost_events"], 0)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
    def test_posix_checks_pass_for_an_ordinary_user(self):
        report = self.check_posix([], [*self.private_device(), *AS_NOBODY],
                                  ["nsenter", "-t", "{pid}", "-m", *AS_NOBODY])
        self.assertEqual(report["completeness"]["lost_events"], 0)
        self.assertGreater(self.sum_of(report, "read", "bytes"), MEBIBYTE)

    def test_a_tree_unpacked_searched_and_compared(self):
        tree = self.directory / "tree"
        shutil.copytree(ROOT, tree, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git"))
        archive = self.directory / "tree.tar"
        subprocess.run(["tar", "-C", tree, "-cf", archive, "."], check=True)
        mounted = self.mount()
        subprocess.run(["tar", "-C", self.point, "-xf", archive], check=True)
        subprocess.run(["diff", "-r", "--no-dereference", tree, self.point], check=True)
        found = [sorted(subprocess.run(["grep", "-rlc", "zctrace", "."], cwd=where, check=True,
                                       capture_output=True).stdout.splitlines())
                 for where in (tree, self.point)]
        self.assertEqual(*found)
        report = mounted.stop()
        subprocess.run(["diff", "-r", "--no-dereference", tree, self.source], check=True)
        sizes = sum(path.stat().st_size for path in tree.rglob("*")
                    if path.is_file() and not path.is_symlink())
        self.assertEqual(self.sum_of(report, "write", "bytes"), sizes)

    @unittest.skipUnless(shutil.which("fio"), "fio is not installed")
    def test_fio_verifies_what_it_wrote(self):
        seconds = os.environ.get("ZCTRACE_SOAK_S", "4")
        mounted = self.mount()
        subprocess.run(
            ["fio", f"--directory={self.point}", "--size=8m", "--verify=crc32c", "--verify_fatal=1",
             f"--runtime={seconds}", "--time_based", "--group_reporting", "--minimal", "--numjobs=4",
             "--name=mixed", "--rw=randrw", "--bsrange=512-256k", "--ioengine=psync",
             "--name=large", "--rw=write", "--bs=1m", "--ioengine=psync",
             "--name=mapped", "--rw=randwrite", "--bs=4k", "--ioengine=mmap",
             "--name=direct", "--rw=randwrite", "--bs=16k", "--direct=1", "--ioengine=libaio",
             "--iodepth=8"],
            check=True, stdout=subprocess.DEVNULL, timeout=60 + 3 * int(seconds),
            cwd=self.directory)  # fio leaves files there
        report = mounted.stop()
        self.assertGreater(self.sum_of(report, "writeback", "bytes"), 0)


CREATE_OR_OPEN = """
import os, sys
try:
    os.stat(sys.argv[1])
except FileNotFoundError:
    print("none", flush=True)
sys.stdin.readline()
try:
    os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
except OSError as error:
    print(error.errno)
"""


@unittest.skipIf(os.geteuid() != 0, "needs root to become an ordinary user")
class Permissions(MountTest):
    def as_nobody(self, code, prefix=()):
        return subprocess.run([*prefix, *AS_NOBODY, sys.executable, "-c", code], check=True,
                              cwd="/", timeout=PATIENCE_S)

    def test_ordinary_users_mount_writes_to_a_set_user_id_file_of_another_user(self):
        self.directory.chmod(0o755)
        private = [*self.private_device(), *AS_NOBODY]
        for cache in ("none", "auto", "always"):
            changes = {"written": "os.write(os.open(path, os.O_WRONLY), b'x')",
                       "truncated": "os.truncate(path, 1)",
                       "opened": "os.open(path, os.O_WRONLY | os.O_TRUNC)"}
            for name in changes:
                (self.source / name).write_text("text")
                (self.source / name).chmod(0o6777)
            mounted = self.mount("--cache", cache, prefix=private)
            for name, change in changes.items():
                with self.subTest(name, cache=cache):
                    self.as_nobody(f"import os; path = '{self.point}/{name}'; {change}",
                                   ["nsenter", "-t", str(mounted.pid), "-m"])
                    self.assertEqual(oct(stat.S_IMODE((self.source / name).stat().st_mode)),
                                     oct(0o777))
            mounted.end()

    def test_create_does_not_open_another_users_file_that_appears_meanwhile(self):
        for cache in ("auto", "always"):
            with self.subTest(cache=cache):
                mounted = self.mount("--cache", cache)
                self.directory.chmod(0o755)
                user = self.start([*AS_NOBODY, sys.executable, "-c", CREATE_OR_OPEN,
                                   self.point / cache], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
                self.assertEqual(user.stdout.readline(), "none\n")
                secret = self.source / cache
                secret.touch(0o600)
                self.assertEqual(user.communicate("\n", timeout=PATIENCE_S)[0],
                                 f"{errno.EACCES}\n")
                mounted.end()
