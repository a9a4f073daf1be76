# SPDX-License-Identifier: MIT
"""The marked code blocks of a Markdown page."""

import re

# <!-- transcript: NAME --> stands above the block whose text a scene of that name makes.
MARKED = re.compile(r"(<!-- transcript: ([\w.-]+) -->\n+```\w*\n)(.*?)(^```$)",
                    re.MULTILINE | re.DOTALL)


def names(page):
    return [match[2] for match in MARKED.finditer(page)]


def replace(page, texts):
    """The page with the text of each block that `texts` names."""
    def block(match):
        return match[1] + texts.get(match[2], match[3]) + match[4]

    return MARKED.sub(block, page)
