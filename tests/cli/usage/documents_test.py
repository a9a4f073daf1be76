# SPDX-License-Identifier: MIT
"""The commands in README.md and docs/ exist, and each of their options and values is real."""

import functools
import re
import shlex
import subprocess
import unicodedata

from definition import definition, options
from harness import TestCase
from paths import PATIENCE_S, ROOT, ZCTRACE

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")),
         *sorted((ROOT / "deploy").rglob("*.md"))]
HEADINGS = ["What for", "Example", "Options", "JSON", "Gotchas", "Cost"]
IN_A_BLOCK = re.compile(r"^\s*(?:[$#] )?(?:sudo )?(zctrace .*)$")
INLINE = re.compile(r"`(zctrace [^`]+)`")
MAKE = re.compile(r"`(?:[A-Z_]+=\S+ )*make ([a-z][\w-]*)|^\s*(?:\$ )?make ([a-z][\w-]*)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)")
# An option in prose: `--by file`. A page that shows other programs' names the program as well.
INLINE_OPTION = re.compile(r"`(-[^`]*)`")
# Only tests use it; docs/design.md also considers what may come.
HIDDEN = {"--room"}
PLANS = ROOT / "docs" / "design.md"
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
MOST_COLUMNS = 100
# A placeholder of the usage stands for options or words.
WORDS_ONLY = {"VERB", "COMMAND"}


@functools.cache
def help_of(*words):
    return subprocess.run([ZCTRACE, *words, "--help"], capture_output=True, text=True, check=False,
                          timeout=PATIENCE_S).stdout


def commands(page):
    """(number of the line, command) for each zctrace command that a page shows."""
    fenced = False
    # A line that ends in a backslash goes on.
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        elif fenced:
            if match := IN_A_BLOCK.match(line):
                yield number, match[1]
        else:
            for match in INLINE.finditer(line):
                yield number, match[1]


def command_names():
    return {command["name"] for command in definition()["commands"]} - {"zctrace"}


def columns(line):
    """Of a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def own_words(command):
    """The words of zctrace itself: without a comment, a pipeline, or the command that it runs."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # a quote that the page closes on another line
        words = command.split()
    for end in ("--", "|", "&", "&&", ";", "...", "…"):
        if end in words:
            words = words[:words.index(end)]
    return words[1:]


class DocumentsTest(TestCase):
    needs_bpf = False

    def test_every_command_and_option_in_the_documents_exists(self):
        verbs = set(re.findall(r"^  ([a-z]+)\s", help_of(), re.MULTILINE)) | {"help", "version"}
        self.assertIn("attach", verbs)
        wrong, seen = [], 0
        for page in PAGES:
            for number, command in commands(page):
                seen += 1
                words = own_words(command)
                place = f"{page.relative_to(ROOT)}:{number}: {command}"
                verb = next((word for word in words if not word.startswith("-")), None)
                if verb is None or verb in WORDS_ONLY:
                    continue
                if not re.fullmatch("[a-z]+", verb):
                    continue
                if verb not in verbs:
                    wrong.append(f"{place}: there is no {verb!r}")
                    continue
                known = set(OPTION.findall(help_of(verb)))
                for word in words:
                    option = OPTION.match(word)
                    if option and option[1] not in known | {"--help", "-h"}:
                        wrong.append(f"{place}: {verb} has no {option[1]!r}")
        self.assertEqual(wrong, [])
        self.assertGreater(seen, 30)

    def test_every_value_in_the_documents_is_taken(self):
        """zctrace checks the values of options before it prints a help."""
        seen = 0
        for page in PAGES:
            for number, command in commands(page):
                verb, *words = own_words(command) or [""]
                if verb not in command_names() or re.search("[|…]", " ".join(words)):
                    continue
                seen += 1
                done = self.zctrace(verb, "--help", *words)
                with self.subTest(place=f"{page.relative_to(ROOT)}:{number}", command=command):
                    # Prose may name an option without its value, or a command without its directory.
                    if not re.search("needs a value|: missing ", done.stderr):
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(seen, 30)

    def test_every_option_in_prose_exists(self):
        known = HIDDEN | {name for command in definition()["commands"] for option in options(command)
                          for name in option["names"]}
        wrong = []
        for page in PAGES:
            if page == PLANS:
                continue
            for text in INLINE_OPTION.findall(FENCED.sub("", page.read_text())):
                wrong += [f"{page.relative_to(ROOT)}: `{text}`" for name in OPTION.findall(text)
                          if name not in known]
        self.assertEqual(wrong, [])

    def test_every_command_has_a_page_with_the_same_headings(self):
        folder = ROOT / "docs" / "commands"
        index = (ROOT / "docs" / "commands.md").read_text()
        for name in command_names() - {"help", "version"}:
            with self.subTest(command=name):
                text = FENCED.sub("", (folder / f"{name}.md").read_text())
                self.assertEqual(re.findall("^## (.*)$", text, re.MULTILINE), HEADINGS)
                self.assertIn(f"(commands/{name}.md)", index)
                self.assertIn(f"<!-- options: {name} -->", text)
        self.assertEqual({page.stem for page in folder.iterdir()} - command_names(), set())

    def test_lines_of_the_readme_fit(self):
        for page in ROOT.glob("README*.md"):
            for number, line in enumerate(page.read_text().splitlines(), 1):
                with self.subTest(page=page.name, number=number):
                    self.assertLessEqual(columns(line), MOST_COLUMNS)

    def test_the_translation_shows_the_same_command_lines(self):
        def blocks(page):
            return [line for block in FENCED.finditer(page.read_text())
                    for line in block[0].splitlines()]

        pages = [ROOT / "README.md", ROOT / "README.zh.md"]
        original, translation = (blocks(page) for page in pages)
        self.assertGreater(len(original), 20)
        self.assertEqual([re.sub("#.*", "", line).rstrip() for line in translation],
                         [re.sub("#.*", "", line).rstrip() for line in original])
        inline = [sorted({re.sub("#.*", "", command).rstrip() for _, command in commands(page)})
                  for page in pages]
        self.assertEqual(inline[1], inline[0])

    def test_every_make_target_in_the_documents_exists(self):
        rules = "\n".join(path.read_text() for path in [ROOT / "Makefile", *ROOT.glob("mk/*.mk")])
        targets = set(re.findall(r"^([a-z][\w-]*):", rules, re.MULTILINE))
        named = {(page.name, match[1] or match[2]) for page in PAGES
                 for match in MAKE.finditer(page.read_text())}
        self.assertIn(("README.md", "demo"), named)
        self.assertEqual({name for name in named if name[1] not in targets}, set())
