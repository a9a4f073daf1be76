# SPDX-License-Identifier: MIT
"""Whether every file that states a version states the one in VERSION."""

import re

# `## [1.2.3] - 2026-11-29`, of which the first is the latest release.
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\](?: - (\d{4}-\d\d-\d\d))?$", re.MULTILINE)
FIELD = re.compile(r"^(version|date-released): *\"?([^\"\n]*)\"?$", re.MULTILINE)
IMAGE = re.compile(r"\bzctrace:(\d[\w.-]*)")


def text_of(path):
    return path.read_text() if path.exists() else ""


def problems(root):
    """A line for each disagreement."""
    version = text_of(root / "VERSION").strip()
    if not version:
        return
    day = None
    if changelog := text_of(root / "CHANGELOG.md"):
        release = RELEASE.search(changelog)
        newest, day = release.groups() if release else (None, None)
        if newest != version:
            yield f"CHANGELOG.md: its latest release is {newest}, but VERSION is {version}"
        elif not day:
            yield f"CHANGELOG.md: the release {version} has no day: ## [{version}] - YYYY-MM-DD"
    if citation := text_of(root / "CITATION.cff"):
        stated = dict(FIELD.findall(citation))
        for field, wanted in (("version", version), ("date-released", day)):
            if wanted and stated.get(field) != wanted:
                yield f"CITATION.cff: {field} is {stated.get(field)}, and should be {wanted}"
    for path in sorted((root / "deploy" / "kubernetes").glob("*")):
        for image in sorted(set(IMAGE.findall(path.read_text())) - {version}):
            yield f"{path.relative_to(root)}: names the image zctrace:{image}, but VERSION is {version}"
