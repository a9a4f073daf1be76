# SPDX-License-Identifier: MIT
"""A site from Markdown pages: each with a list of the pages, its table of contents and checked links.

Nothing in it needs a network. Other files that a page links to are copied; a folder gets
a list of its files."""

import collections
import html
import os
import pathlib
import posixpath
import re
import shutil
import subprocess

import options
from anchors import anchor

HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
LINK = re.compile(r'(?<= )(href|src|srcset)="([^"]*)"')
TARGET = re.compile(r'(?<= )id="([^"]*)"')
TAG = re.compile(r"<[^>]*>")
# Of a folder that is larger, only the names are listed.
MOST_COPIED = 64
ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:")

STYLE = """\
:root { color-scheme: light dark; --line: #d0d4d9; --shade: #f4f5f7; --link: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --line: #3a3f46; --shade: #22262b; --link: #7ab0ff; } }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; display: grid;
  grid-template-columns: 17rem minmax(0, 1fr); }
nav { padding: 1.5rem; border-right: 1px solid var(--line); font-size: .875rem; }
nav > div { position: sticky; top: 1.5rem; max-height: calc(100vh - 3rem); overflow: auto; }
nav ul { list-style: none; padding-left: 0; } nav ul ul { padding-left: 1rem; }
nav [aria-current] { font-weight: 600; }
main { padding: 1.5rem 2rem; max-width: 56rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
pre, code { font: .875em/1.45 ui-monospace, monospace; }
pre { background: var(--shade); padding: .75rem 1rem; overflow-x: auto; border-radius: 4px; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
td code { white-space: nowrap; } img { max-width: 100%; }
@media (max-width: 50rem) { body { display: block; } nav { border: 0; } }
"""


class Page:
    def __init__(self, root, path, commands):
        self.path = path  # below root
        self.place = "index.html" if path == "README.md" else str(pathlib.PurePath(path).with_suffix(".html"))
        source = (root / path).read_text()
        if commands:
            source = options.expanded(source, commands)
        # Pages are ours, and may have markup of their own.
        text = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough", "-e", "autolink"],
                              input=source, check=True, capture_output=True, text=True).stdout
        self.headings = []  # (level, name, text with markup)
        seen = collections.Counter()

        def named(match):
            name = anchor(html.unescape(TAG.sub("", match[2])), seen)
            self.headings.append((int(match[1]), name, match[2]))
            return f'<h{match[1]} id="{name}">{match[2]}</h{match[1]}>'

        self.body = HEADING.sub(named, text)
        self.title = TAG.sub("", self.headings[0][2]) if self.headings else path

    def contents(self):
        """The headings of the second and third level, as nested lists."""
        text, depth = "", 1
        for level, name, words in self.headings:
            if level not in (2, 3):
                continue
            text += "<ul>" * (level - depth) + "</ul>" * (depth - level)
            depth = level
            text += f'<li><a href="#{name}">{re.sub("</?a[^>]*>", "", words)}</a></li>\n'
        return text + "</ul>" * (depth - 1)


class Site:
    def __init__(self, root, directory, paths, commands):
        self.root, self.directory = root, directory
        self.pages = {path: Page(root, path, commands) for path in paths}

    def write(self):
        """Writes everything, and returns a line for each broken link."""
        shutil.rmtree(self.directory, ignore_errors=True)
        for page in self.pages.values():
            self.write_file(page.place, self.document(page))
        return list(self.broken_links())

    def write_file(self, place, text):
        path = self.directory / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def document(self, page):
        def pages():
            for other in self.pages.values():
                here = ' aria-current="page"' if other is page else ""
                yield f'<li><a href="{relative(other.place, page.place)}"{here}>{other.title}</a></li>'

        body = LINK.sub(lambda match: f'{match[1]}="{self.link(match[2], page)}"', page.body)
        language = "zh" if page.path.endswith(".zh.md") else "en"
        return (f'<!doctype html>\n<html lang="{language}">\n<meta charset="utf-8">\n'
                '<meta name="viewport" content="width=device-width">\n'
                f"<title>{page.title}</title>\n<style>\n{STYLE}</style>\n"
                f"<nav><div>\n<ul>\n{chr(10).join(pages())}\n</ul>\n"
                f"<hr>\n{page.contents()}</div></nav>\n<main>\n{body}</main>\n</html>\n")

    def link(self, target, page):
        """Where a link of a page leads on the site; as it is if it is broken."""
        path, mark, name = html.unescape(target).partition("#")
        if ELSEWHERE.match(target) or not path:
            return target
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page.path), path))
        source = self.root / path
        if path.startswith("..") or not source.exists():
            return target
        if path in self.pages:
            place = self.pages[path].place
        else:
            place = path if source.is_file() else f"{path}/index.html"
            self.copy(path, place)
        return html.escape(relative(place, page.place) + mark + name)

    def copy(self, path, place):
        source = self.root / path
        if source.is_file():
            (self.directory / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, self.directory / place)
            return
        names = sorted(str(file.relative_to(source)) for file in source.rglob("*") if file.is_file())
        entries = ""
        for name in names:
            shown = html.escape(name)
            if len(names) <= MOST_COPIED:
                self.copy(f"{path}/{name}", f"{path}/{name}")
                shown = f'<a href="{shown}">{shown}</a>'
            entries += f"<li>{shown}</li>\n"
        self.write_file(place, f"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                               f"<title>{path}</title>\n<h1>{path}</h1>\n<ul>\n{entries}</ul>\n</html>\n")

    def broken_links(self):
        for page in self.pages.values():
            text = (self.directory / page.place).read_text()
            for _, target in LINK.findall(text):
                path, _, name = html.unescape(target).partition("#")
                if ELSEWHERE.match(target):
                    continue
                place = posixpath.normpath(posixpath.join(posixpath.dirname(page.place), path)) if path \
                    else page.place
                file = self.directory / place
                if not file.is_file():
                    yield f"{page.path}: the link to {target} leads to no page"
                elif name and place.endswith(".html") and name not in TARGET.findall(file.read_text()):
                    yield f"{page.path}: the link to {target} leads to no heading"


def relative(place, other):
    """The path of a place as seen from the folder of another one."""
    return os.path.relpath(place, posixpath.dirname(other) or ".")
