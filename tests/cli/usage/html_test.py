# SPDX-License-Identifier: MIT
"""`make html`: the documents as pages whose links lead somewhere."""

import html
import pathlib
import re
import subprocess

from definition import definition, options
from harness import TestCase
from paths import PATIENCE_S, ROOT, tool


class Html(TestCase):
    needs_bpf = False

    def setUp(self):
        super().setUp()
        tool("cmark-gfm")
        self.site = self.directory / "site"

    def write(self, *words, status=0):
        done = subprocess.run([ROOT / "scripts" / "html", self.site, *words], text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def source(self, **pages):
        root = self.directory / "source"
        for name, text in pages.items():
            path = root / name.replace("__", "/")
            path = path.with_suffix(".md")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return root

    def test_every_document_is_a_page_with_its_headings(self):
        self.assertEqual(self.write(), "")
        pages = {str(path.relative_to(self.site)) for path in self.site.rglob("*.html")}
        sources = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        self.assertGreater(len(sources), 10)
        index = (self.site / "index.html").read_text()
        for source in sources:
            place = "index.html" if source.name == "README.md" else \
                str(source.relative_to(ROOT).with_suffix(".html"))
            self.assertIn(place, pages)
            self.assertIn(f'<a href="{place}"', index)
            text = (self.site / place).read_text()
            for name in re.findall(r'<h[23] id="([^"]+)"', text):
                self.assertIn(f'<li><a href="#{name}">', text)

    def test_the_page_of_a_command_lists_its_options(self):
        self.write()
        for command in definition()["commands"]:
            page = self.site / "docs" / "commands" / f"{command['name']}.html"
            if not page.exists():
                continue
            text = html.unescape(page.read_text())
            for option in options(command):
                for name in option["names"]:
                    with self.subTest(command=command["name"], option=name):
                        self.assertRegex(text, f"<td><code>[^<]*{re.escape(name)}[ ,<]")

    def test_nothing_is_loaded_from_a_network(self):
        self.write()
        for path in self.site.rglob("*.html"):
            with self.subTest(page=path.name):
                text = path.read_text()
                self.assertNotIn("<script", text)
                self.assertEqual(re.findall(r'<link|@import|url\(|src="(?:https?:)?//', text), [])

    def test_links_between_pages_lead_to_pages(self):
        root = self.source(README="# Top\n\n[a](docs/a.md#two-words)\n",
                           docs__a="# A\n\n## Two words\n\n[up](../README.md) [it](b.c)\n")
        (root / "docs/b.c").write_text("int b;\n")
        self.write(root)
        self.assertIn('href="docs/a.html#two-words"', (self.site / "index.html").read_text())
        self.assertIn('href="../index.html"', (self.site / "docs/a.html").read_text())
        self.assertEqual((self.site / "docs/b.c").read_text(), "int b;\n")

    def test_broken_links_are_named(self):
        root = self.source(README="# Top\n\n[a](docs/none.md) [b](docs/a.md#none) [c](#none) [d](#top)\n",
                           docs__a="# A\n\n## Two words\n")
        wrong = self.write(root, status=1).splitlines()
        self.assertEqual(wrong, ["html: README.md: the link to docs/none.md leads to no page",
                                 "html: README.md: the link to docs/a.html#none leads to no heading",
                                 "html: README.md: the link to #none leads to no heading"])

    def test_a_directory_with_other_files_is_left_alone(self):
        self.site.mkdir()
        (self.site / "precious").touch()
        self.assertIn("holds something else", self.write(status=1))
        self.assertEqual([path.name for path in pathlib.Path(self.site).iterdir()], ["precious"])
