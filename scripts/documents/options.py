# SPDX-License-Identifier: MIT
"""The options of a command in its page: from the definition of the command line, so never stale."""

import re

# <!-- options: NAME --> stands where the table of all options of that command goes.
MARK = re.compile(r"^<!-- options: ([a-z]+) -->$", re.MULTILINE)


def cell(text):
    return re.sub(r"([|*_`\\\[\]<>])", r"\\\1", text)


def code(text):
    # A bar would end the cell, also in a code span.
    return "`" + text.replace("|", "\\|") + "`"


def table(command):
    lines = ["| option | meaning |", "|---|---|"]
    for title, options in command.groups:
        lines.append(f"| **{cell(title)}** | |")
        for option in options:
            names = ", ".join(option.names)
            value = "" if not option.value else option.value if option.is_argument else f" {option.value}"
            lines.append(f"| {code(names + value)} | {cell(option.meaning)} |")
    return "\n".join(lines)


def expanded(text, commands):
    """The page with the tables that it asks for. A command without options here is a KeyError."""
    return MARK.sub(lambda match: table(commands[match[1]]), text)
