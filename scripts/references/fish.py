# SPDX-License-Identifier: MIT
"""The completion for fish."""

import candidates
from definition import PROGRAM

HEAD = r"""# fish completion for zctrace; made by scripts/reference from the definition of the command line.

function __zctrace_command --description 'Print the command on the line; fail without one'
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if not string match -q -- '-*' $word
            echo -- $word
            return
        end
    end
    return 1
end

function __zctrace_in --description 'Whether a command is on the line, and its own words are typed'
    set -l command (__zctrace_command)
    test "$command" = $argv[1]; and not __zctrace_runs
end

function __zctrace_find --description 'The words that a command finds on this machine'
    sh -c $argv[1]
end

"""

# $takes: the options that take a value, of the commands that run another one.
RUNS = r"""
function __zctrace_runs --description 'Whether the words of an observed command are typed'
    set -l words (commandline -opc)
    set -l at (contains -i -- (__zctrace_command) $words); or return
    contains -- $words[$at] $__zctrace_running; or return
    set -l skip 0
    for word in $words[(math $at + 1)..-1]
        if test $skip = 1
            set skip 0
        else if test "$word" = --
            return 0
        else if contains -- $word $__zctrace_takes
            set skip 1
        else if not string match -q -- '-*' $word
            return 0
        end
    end
    return 1
end

complete -c zctrace -f
"""


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def value_flags(option, definition):
    if not option.value:
        return ""
    flags = " -r" + (" -F" if "file" in option.kinds else " -f")
    steps = [f"printf '%s\\n' {' '.join(map(quoted, option.words))}"] if option.words else []
    for kind in option.kinds:
        if kind == "directory":
            # The function completes what is typed of the value.
            steps.append("__fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '')")
        elif kind != "file":
            steps.append(f"__zctrace_list_{kind}")
    if not steps:
        return flags
    wanted = "; ".join(steps)
    if option.is_list:
        wanted = f"__fish_complete_list , {quoted(wanted)}"
    return flags + " -a " + quoted(f"({wanted})")


def option_line(condition, option, definition):
    names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}"
                    for name in option.names)
    return (f"complete -c {PROGRAM} -n {quoted(condition)}{names}"
            f"{value_flags(option, definition)} -d {quoted(option.meaning)}")


def lines(definition):
    yield from (option_line("not __zctrace_command", option, definition)
                for option in definition.program.options)
    for command in definition.commands:
        yield (f"complete -c {PROGRAM} -n 'not __zctrace_command' -a {command.name} "
               f"-d {quoted(command.summary)}")
        condition = f"__zctrace_in {command.name}"
        yield from (option_line(condition, option, definition) for option in command.options)
        for argument in command.arguments:
            if argument.offers:
                yield (f"complete -c {PROGRAM} -n {quoted(condition)}"
                       f"{value_flags(argument, definition).replace(' -r', '')}")
        if command.runs_a_command:
            takes = " ".join(takes_value([command]))
            yield (f"complete -c {PROGRAM} -n 'test (__zctrace_command; or echo) = {command.name}' -x -a "
                   + quoted(f"(__fish_complete_subcommand --fcs-skip=2 {takes})"))


def takes_value(commands):
    return [name for command in commands for option in command.options if option.value
            for name in option.names]


def script(definition):
    running = [command for command in definition.commands if command.runs_a_command]
    text = HEAD
    text += "set -g __zctrace_running " + " ".join(command.name for command in running) + "\n"
    text += "set -g __zctrace_takes " + " ".join(takes_value(running)) + "\n\n"
    for kind, words in definition.kinds.items():
        text += (f"function __zctrace_list_{kind}\n    printf '%s\\n' " + " ".join(map(quoted, words)) +
                 "\nend\n\n")
    for kind, command in candidates.COMMANDS.items():
        text += f"function __zctrace_list_{kind}\n    __zctrace_find {quoted(command)}\nend\n\n"
    return text.rstrip("\n") + "\n" + RUNS + "\n".join(lines(definition)) + "\n"


def files(definition):
    return {f"fish/{PROGRAM}.fish": script(definition)}
