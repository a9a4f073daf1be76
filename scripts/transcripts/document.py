# SPDX-License-Identifier: MIT
"""The marked code blocks of a Markdown page."""

import os
import re
import time

# <!-- transcript: NAME --> stands above the block whose text a scene of that name makes.
MARKED = re.compile(r"(<!-- transcript: ([\w.-]+) -->\n+```\w*\n)(.*?)(^```$)",
                    re.MULTILINE | re.DOTALL)


def names(page):
    return [match[2] for match in MARKED.finditer(page)]


# Below this line a page says when its transcripts were made, and on what.
RECORDED = re.compile(r"(<!-- recorded -->\n).*\n")


def machine():
    release = re.match(r"[\d.]+", os.uname().release)[0]
    return (f"Recorded on {time.strftime('%Y-%m-%d')}, Linux {release} {os.uname().machine}, "
            f"{os.cpu_count()} CPUs.")


def replace(page, texts):
    """The page with the text of each block that `texts` names."""
    if set(names(page)) & set(texts):
        page = RECORDED.sub(lambda match: f"{match[1]}{machine()}\n", page)

    def block(match):
        return match[1] + texts.get(match[2], match[3]) + match[4]

    return MARKED.sub(block, page)
