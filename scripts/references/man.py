# SPDX-License-Identifier: MIT
"""Man pages in the man(7) language, which groff and mandoc read."""

import re
import time

from definition import PROGRAM

# Characters that groff would print as typographic ones, or read as its own.
SPECIAL = {"\\": "\\e", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
# A dash that begins a word belongs to an option, which is typed as it is shown.
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def escaped(text):
    return "".join(SPECIAL.get(character, character) for character in text)


def protected(text):
    """Text at the beginning of a line, where a dot would begin a request."""
    return "\\&" + text if text.startswith((".", "'", "\\(aq")) else text


def literal(text):
    return protected(escaped(text).replace("-", "\\-"))


def prose(text):
    """Options in it are bold."""
    done, end = "", 0
    for match in OPTION.finditer(text):
        done += escaped(text[end:match.start()]) + bold(match.group())
        end = match.end()
    return protected(done + escaped(text[end:]))


def bold(text):
    return "\\fB" + escaped(text).replace("-", "\\-") + "\\fR"


def italic(text):
    return "\\fI" + escaped(text).replace("-", "\\-") + "\\fR"


def usage(text):
    """`-p PID | -n GLOB`: options bold, what stands for a value italic."""
    words = re.split(r"(--?[A-Za-z][\w-]*|[A-Z][A-Za-z]*(?:\.service)?)", text)
    return "".join(bold(word) if word.startswith("-") else italic(word) if index % 2 else
                   escaped(word) for index, word in enumerate(words)).replace("--", "\\-\\-")


def term(option):
    value = italic(option.value) if option.value else ""
    if option.is_argument:
        return value
    return ", ".join(map(bold, option.names)) + (" " + value if value else "")


def entries(pairs):
    for head, text in pairs:
        yield from (".TP", head, text)


def page_name(command):
    return PROGRAM if command.is_program else f"{PROGRAM}-{command.name}"


def sections(command, definition):
    summary = command.summary[:1].lower() + command.summary[1:]
    yield from (".SH NAME", f"{literal(page_name(command))} \\- {prose(summary)}")
    invocation = PROGRAM if command.is_program else f"{PROGRAM} {command.name}"
    yield from (".SH SYNOPSIS", f"{bold(invocation)} {usage(command.usage)}".rstrip())
    yield ".SH DESCRIPTION"
    yield prose(command.summary + ".")
    for paragraph in command.about:
        yield from (".PP", prose(paragraph))
    if command.is_program:
        yield ".SH COMMANDS"
        yield from entries((f"{bold(other.name)}", prose(other.summary + "."))
                           for other in definition.commands)
    yield ".SH OPTIONS"
    for title, options in command.groups:
        yield f".SS {prose(title)}"
        yield from entries((term(option), prose(option.meaning + ".")) for option in options)
    for title, pairs in command.lists:
        yield f".SH {prose(title.upper())}"
        yield from entries((bold(head), prose(text + ".")) for head, text in pairs)
    if command.examples:
        yield ".SH EXAMPLES"
    for number, (purpose, line) in enumerate(command.examples):
        if number > 0:
            yield ".PP"
        yield from (prose(purpose + ":"), ".PP", ".RS 2", ".nf", literal(line), ".fi", ".RE")
    yield ".SH SEE ALSO"
    others = [page_name(other) for other in (definition.program, *definition.commands)
              if other is not command]
    yield from (f".BR {literal(other)} (1){',' if other is not others[-1] else ''}"
                for other in others)


def page(command, definition, seconds):
    day = time.strftime("%Y-%m-%d", time.gmtime(seconds))
    title = literal(page_name(command).upper())
    head = ['.\\" Made by scripts/reference from the definition of the command line.',
            f'.TH {title} 1 {day} "{PROGRAM} {definition.version}" "User Commands"',
            # Neither hyphens nor spaces that a reader would copy.
            ".nh", ".ad l"]
    return "\n".join([*head, *sections(command, definition)]) + "\n"


def pages(definition, seconds):
    """Name of the file -> text. `seconds` since the epoch: the date of the pages."""
    return {f"{page_name(command)}.1": page(command, definition, seconds)
            for command in (definition.program, *definition.commands)}
