# SPDX-License-Identifier: MIT
"""Where the names of functions come from, and files that are made to mislead."""

import functools
import http.server
import os
import random
import shutil
import subprocess
import threading

from paths import PATIENCE_S, tool
from stacks.stacks_case import MIB, StacksTest, folded

SECTIONS_AT, SECTION_BYTES, SECTIONS_COUNT = 40, 64, 60  # in the ELF header, and of one section


class Requests(http.server.SimpleHTTPRequestHandler):
    """Serves a directory and keeps what it was asked for."""

    def __init__(self, *words, asked, **named):
        self.asked = asked
        super().__init__(*words, **named)

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_words):
        pass


class Symbols(StacksTest):
    def profile(self, program, env=None):
        """The stacks of the program, which ends when zctrace has opened its file."""
        path = self.directory / "out.folded"
        chain = self.start([program, 64, "wait"], stdin=-1, text=True)
        attached = self.attach(path, "-p", chain.pid, "--stacks-every", "256K", env=env)
        self.end_chain(chain, attached)
        attached.communicate(timeout=PATIENCE_S)
        self.assertEqual(attached.returncode, 0)
        return folded(path)


class Debuginfod(Symbols):
    def setUp(self):
        super().setUp()
        built = self.program("stack_chain")
        self.stripped = self.directory / "stack_chain"
        subprocess.run([tool("strip"), "-o", self.stripped, built], check=True)
        notes = subprocess.run([tool("readelf"), "-n", built], capture_output=True, text=True,
                               check=True).stdout
        build_id = notes.partition("Build ID: ")[2].split()[0]
        served = self.directory / "served" / "buildid" / build_id
        served.mkdir(parents=True)
        subprocess.run([tool("objcopy"), "--only-keep-debug", built, served / "debuginfo"],
                       check=True)
        self.asked = []
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Requests, asked=self.asked,
                                                directory=self.directory / "served"))
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.path = f"/buildid/{build_id}/debuginfo"

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if name != "DEBUGINFOD_URLS"}
        return {**kept, "DEBUGINFOD_CACHE_PATH": str(self.directory / "cache"), **more}

    def test_names_come_from_the_server_that_the_environment_names(self):
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        found = self.profile(self.stripped, self.environment(DEBUGINFOD_URLS=url))
        self.assert_chain(found, 64 * MIB)
        self.assertEqual(set(self.asked), {self.path})

    def test_no_server_is_asked_unless_the_environment_names_one(self):
        found = self.profile(self.stripped, self.environment())
        self.assertEqual(self.asked, [])
        self.assertIn("[stack_chain]", found[0][0])
        self.assertNotIn("give_bytes", str(found))


class WrongFiles(Symbols):
    """The kernel runs a program without its sections; libraries that look for names need them."""

    def wrong(self, name, change):
        program = self.directory / name
        shutil.copy(self.program("stack_chain"), program)
        content = bytearray(program.read_bytes())
        change(content)
        program.write_bytes(content)
        program.chmod(0o755)
        return program

    def assert_bytes(self, found):
        """Each direction is half of the bytes, as far as samples tell: names are all that is lost."""
        self.assertAlmostEqual(sum(count for _, count in found) / (128 * MIB), 1, delta=0.05)
        self.assertEqual({frames[-1] for frames, _ in found},
                         {"read (device to user)", "write (user to device)"})

    def test_sections_beyond_the_end_of_the_file(self):
        def beyond(content):
            content[SECTIONS_AT:SECTIONS_AT + 8] = (1 << 62).to_bytes(8, "little")

        self.assert_bytes(self.profile(self.wrong("beyond", beyond)))

    def test_more_sections_than_the_file_has(self):
        def many(content):
            content[SECTIONS_COUNT:SECTIONS_COUNT + 2] = b"\xff\xff"

        self.assert_bytes(self.profile(self.wrong("many", many)))

    def test_huge_sections(self):
        def huge(content):
            begin = int.from_bytes(content[SECTIONS_AT:SECTIONS_AT + 8], "little")
            count = int.from_bytes(content[SECTIONS_COUNT:SECTIONS_COUNT + 2], "little")
            for at in range(begin, begin + count * SECTION_BYTES, SECTION_BYTES):
                content[at + 32:at + 40] = b"\xff" * 7 + b"\x7f"  # sh_size

        self.assert_bytes(self.profile(self.wrong("huge", huge)))

    def test_sections_without_the_end_of_the_file(self):
        self.assert_bytes(self.profile(self.wrong("short", lambda content: content.__delitem__(
            slice(len(content) - 700, None)))))

    def test_noise_in_what_does_not_run(self):
        """Behind the last segment are the debug information, the symbols and the sections."""
        def noise(content):
            numbers = random.Random(len(content))
            headers = int.from_bytes(content[32:40], "little")
            count = int.from_bytes(content[56:58], "little")
            end = max(int.from_bytes(content[at + 8:at + 16], "little") +
                      int.from_bytes(content[at + 32:at + 40], "little")
                      for at in range(headers, headers + count * 56, 56))
            for _ in range(200):
                content[numbers.randrange(end, len(content))] = numbers.randrange(256)

        self.assert_bytes(self.profile(self.wrong("noise", noise)))
