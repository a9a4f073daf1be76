# SPDX-License-Identifier: MIT
"""The completion for bash, on the functions of the package bash-completion."""

import shlex

import candidates
from definition import PROGRAM

HEAD = r"""# bash completion for zctrace; made by scripts/reference from the definition of the command line.
# shellcheck shell=bash

# Offers those of the words that begin with what is typed. Never `compgen -W`, which expands its words:
# a process may be named '$(command)'.
_zctrace_add() {
    local word quoted
    for word; do
        printf -v quoted %q "$word"
        [[ $quoted == "$typed"* || $word == "$typed"* ]] && COMPREPLY+=("$before$quoted")
    done
}

# The words that a command finds on this machine.
_zctrace_find() {
    local -a lines
    mapfile -t lines < <(sh -c "$1")
    _zctrace_add "${lines[@]%%$'\t'*}"
}

# What follows are the parts of a list after its last comma.
_zctrace_list() {
    typed=${cur##*,} before=${cur%"${cur##*,}"}
    compopt -o nospace
}

"""

MAIN = r"""_zctrace() {
    local cur prev words cword split command='' before='' typed
    _init_completion -s -n :,% || return
    typed=$cur
    local i argument=0
    for ((i = 1; i < cword; i++)); do
        [[ ${words[i]} == -* ]] && continue
        command=${words[i]}
        break
    done
    if [[ ! $command ]]; then
        [[ $cur == -* ]] || _zctrace_commands
        [[ $cur == -* ]] && _zctrace_options
        return
    fi
    for ((i++; i < cword; i++)); do
        if [[ ${words[i]} == -- ]]; then
            _zctrace_runs "$command" && _command_offset $((i + 1))
            return
        elif [[ ${words[i]} == -* ]]; then
            # `--name=value` is one word.
            [[ ${words[i]} == *=* ]] || { _zctrace_takes "$command" "${words[i]}" && ((i++)); }
        elif _zctrace_runs "$command"; then
            _command_offset "$i"
            return
        else
            ((argument++))
        fi
    done
    if _zctrace_takes "$command" "$prev" || [[ $split == true ]]; then
        _zctrace_value "$command" "$prev"
    elif [[ $cur == -* ]]; then
        _zctrace_options "$command"
    elif _zctrace_runs "$command"; then
        _command_offset "$cword"
        return
    else
        _zctrace_value "$command" "$argument"
    fi
    __ltrim_colon_completions "$cur"
}
complete -F _zctrace zctrace
"""


def words(*them):
    return " ".join(shlex.quote(word) for word in them)


def offer(option, definition):
    """The statements that offer an option's values."""
    steps = ["_zctrace_list"] if option.is_list else []
    for kind in option.kinds:
        if kind == "file":
            steps.append("_filedir")
        elif kind == "directory":
            steps.append("_filedir -d")
        else:
            steps.append(f"_zctrace_{kind}{'s' if kind in definition.kinds else ''}")
    if option.words:
        steps.append(f"_zctrace_add {words(*option.words)}")
    return "; ".join(steps)


def function(name, lines):
    return "\n".join([f"{name}() {{", *(f"    {line}" for line in lines), "}", "", ""])


def case(subject, branches, otherwise):
    """`branches`: (patterns in the language of the shell, statements)."""
    return [f"case {subject} in",
            *(f"    {' | '.join(patterns)}) {statements} ;;"
              for patterns, statements in branches),
            f"    *) {otherwise} ;;", "esac"]


def patterns(command, option):
    return [shlex.quote(f"{command.name} {name}") for name in option.names]


def values(definition):
    for command in definition.commands:
        for option in command.options:
            if option.value and (statements := offer(option, definition)):
                yield patterns(command, option), statements
        for number, argument in enumerate(command.arguments):
            if statements := offer(argument, definition):
                # The last argument may take all that follow.
                yield [shlex.quote(f"{command.name} {number}")], statements
                if argument.repeatable:
                    yield [shlex.quote(f"{command.name} ") + "[0-9]*"], statements


def script(definition):
    text = HEAD
    for kind, them in definition.kinds.items():
        text += function(f"_zctrace_{kind}s", [f"_zctrace_add {words(*them)}"])
    for kind, command in candidates.COMMANDS.items():
        text += function(f"_zctrace_{kind}", [f"_zctrace_find {shlex.quote(command)}"])
    text += "# The options of a command, of zctrace without one.\n"
    text += function("_zctrace_options", case('"${1-}"', [
        ([command.name], "_zctrace_add " + words(
            *(name for option in command.options for name in option.names)))
        for command in definition.commands], "_zctrace_add " + words(
            *(name for option in definition.program.options for name in option.names))))
    text += "# Whether an option of a command takes a value.\n"
    text += function("_zctrace_takes", case('"$1 $2"', [
        ([pattern for option in command.options if option.value
          for pattern in patterns(command, option)], "return 0")
        for command in definition.commands if any(option.value for option in command.options)],
        "return 1"))
    text += "# Whether what follows the options of a command is another command.\n"
    text += function("_zctrace_runs", case('"$1"', [
        ([command.name], "return 0") for command in definition.commands if command.runs_a_command],
        "return 1"))
    text += "# The values of an option of a command, or of its argument with a number.\n"
    text += function("_zctrace_value", case('"$1 $2"', values(definition), "return 1"))
    return text + MAIN


def files(definition):
    return {f"bash/{PROGRAM}": script(definition)}
