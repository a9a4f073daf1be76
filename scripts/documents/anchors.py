# SPDX-License-Identifier: MIT
"""The names of headings, as GitHub gives them."""

import re


def anchor(heading, seen):
    """`heading`: its text without markup. `seen` counts the names of a page, for headings that repeat."""
    name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name] - 1}"
