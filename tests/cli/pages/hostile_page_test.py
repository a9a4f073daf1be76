# SPDX-License-Identifier: MIT
"""Names that would act in a browser stay text."""

import os
import sys

from pages.page_case import PageCase

MARKUP = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1><!--"
RIGHT_TO_LEFT = "a\u202etxt.exe"


class HostilePage(PageCase):
    def run_python(self, code, *arguments, options=()):
        return self.run_page(sys.executable, "-S", "-E", "-s", "-c", code, *arguments,
                             options=options)

    def assert_harmless(self):
        self.assertIsNone(self.browser.run("return window.hacked ?? null"))
        foreign = "return document.querySelectorAll('img, iframe, object, main script').length"
        self.assertEqual(self.browser.run(foreign), 0)
        self.assertEqual(self.browser.run("return document.scripts.length"), 2)
        self.assert_quiet()

    def test_markup_in_a_command_line_and_a_process_name(self):
        code = ("import ctypes, os\n"
                "ctypes.CDLL(None).prctl(15, b'<b>\"&\\'', 0, 0, 0)\n"
                "os.read(os.open('/dev/zero', os.O_RDONLY), 100)\n")
        self.run_page(sys.executable, "-E", "-c", code, MARKUP)
        self.assert_harmless()
        self.assertEqual(self.browser.table("processes")[0]["process"], "<b>\"&'")
        (command,) = self.browser.attributes("#processes .command", "title")
        self.assertIn("<img src=x", command)
        self.assertIn("<img src=x", self.browser.text(".circumstances"))

    def test_markup_and_reordering_in_paths(self):
        names = [MARKUP.replace("/", "∕"), RIGHT_TO_LEFT, "line\nbreak", "\"'&amp;"]
        for name in names:
            (self.directory / name).write_bytes(b"x" * 1000)
        self.run_python("import os, sys\n"
                        "for path in sys.argv[1:]: os.read(os.open(path, os.O_RDONLY), 5000)\n",
                        *[self.directory / name for name in names], options=["--by", "file"])
        self.assert_harmless()
        paths = [row["file"] for row in self.browser.table("files")]
        everything = "\n".join(paths)
        self.assertIn("<img src=x", self.browser.text("#files"))
        self.assertIn("a\\u202etxt.exe", everything)
        self.assertIn("line\\nbreak", everything)
        self.assertIn("\"'&amp;", everything)
        self.assertNotIn("\u202e", self.browser.text("main"))

    def test_very_long_command_lines_are_cut(self):
        self.run_page("true", "x" * 100_000, "\u0301" * 1000)
        self.assert_harmless()
        self.assertLess(self.page.stat().st_size, 400_000)
        self.assertLess(len(self.browser.text("main")), 20_000)
        self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), 1280)

    def test_names_that_are_not_utf_8(self):
        name = os.fsencode(self.directory) + b"/\xff\xfe.bin"
        with open(name, "wb") as file:
            file.write(b"y" * 3000)
        self.run_python("import os, sys\n"
                        "os.read(os.open(os.fsencode(sys.argv[1]), os.O_RDONLY), 5000)\n",
                        os.fsdecode(name), options=["--by", "file"])
        self.assert_harmless()
        self.assertIn("\ufffd\ufffd.bin", self.browser.text("#files"))
