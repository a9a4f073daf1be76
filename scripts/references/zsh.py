# SPDX-License-Identifier: MIT
"""The completion for zsh, on its function _arguments."""

import shlex

import candidates
from definition import PROGRAM

HEAD = r"""#compdef zctrace
# Made by scripts/reference from the definition of the command line.

# The words that a command finds on this machine, each shown with its meaning. compadd expands nothing.
_zctrace_find() {
    local -a lines words shown
    lines=("${(@f)$(sh -c $argv[-1])}")
    shift -p
    words=("${(@)lines%%$'\t'*}")
    shown=("${(@)lines//$'\t'/  }")
    [[ -n $words ]] && compadd "$@" -l -d shown -a words
}

"""


def spec(text):
    """Text inside a specification of _arguments."""
    for character in "\\:[]":
        text = text.replace(character, "\\" + character)
    return text


class Values:
    """A function for each different offer."""

    def __init__(self, definition):
        self.definition = definition
        self.names = {}
        self.text = ""

    def function(self, option):
        key = tuple(option.offers)
        if key not in self.names:
            self.names[key] = f"_zctrace_values_{len(self.names) + 1}"
            self.text += "\n".join([f"{self.names[key]}() {{", *self.statements(option), "}", "", ""])
        return self.names[key]

    @staticmethod
    def statements(option):
        # A comma that a space would follow goes away again.
        suffix = " -q -S ," if option.is_list else ""
        yield "    local found=1"
        if option.is_list:
            yield "    compset -P '*,'"
        if option.words:
            yield (f'    compadd "$@"{suffix} -- ' + " ".join(map(shlex.quote, option.words)) +
                   " && found=0")
        for kind in option.kinds:
            call = {"file": "_files", "directory": "_files -/"}.get(kind, f"_zctrace_{kind}")
            yield f'    {call} "$@"{suffix} && found=0'
        yield "    return found"


def option_specs(option, values):
    meaning = spec(option.meaning)
    value = ""
    if option.value:
        # Without an action nothing is offered, but the name of the value is shown.
        action = values.function(option) if option.offers else " "
        value = f":{spec(option.value)}:{action}"
    if option.is_argument:
        every = "*" if option.repeatable else ""
        return [f"{every}:{spec(option.value)}:{values.function(option) if option.offers else ' '}"]
    others = "*" if option.repeatable else f"({' '.join(option.names)})"
    shapes = [name + ("" if not value else "=" if name.startswith("--") else "+")
              for name in option.names]
    return [f"{others}{shape}[{meaning}]{value}" for shape in shapes]


def arguments(command, values, flags):
    specs = [one for option in (*command.options, *command.arguments)
             for one in option_specs(option, values)]
    if command.runs_a_command:
        specs += ["(-)1:command: _command_names -e", "*::argument: _normal"]
    if command.is_program:
        specs += ["1:command:->command", "*::argument:->argument"]
    return " \\\n        ".join([f"_arguments {flags}", *map(shlex.quote, specs)])


def script(definition):
    values = Values(definition)
    main = [f"    {arguments(definition.program, values, '-C -S -A ' + shlex.quote('-*') + ' :')} && return 0"]
    main += ["    case $state in", "    command)", "        local -a commands=("]
    main += ["            " + shlex.quote(f"{command.name}:{command.summary}")
             for command in definition.commands]
    main += ["        )", "        _describe -t commands command commands", "        ;;", "    argument)",
             '        curcontext="${curcontext%:*:*}:zctrace-$words[1]:"', "        case $words[1] in"]
    for command in definition.commands:
        main.append(f"        {command.name}) {arguments(command, values, '-S -s :')} ;;")
    main += ["        esac", "        ;;", "    esac"]

    text = HEAD
    for kind, words in definition.kinds.items():
        text += f'_zctrace_{kind}() {{\n    compadd "$@" -- {" ".join(map(shlex.quote, words))}\n}}\n\n'
    for kind, command in candidates.COMMANDS.items():
        text += f'_zctrace_{kind}() {{\n    _zctrace_find "$@" {shlex.quote(command)}\n}}\n\n'
    text += values.text
    text += "\n".join(["_zctrace() {", '    local curcontext="$curcontext" context state state_descr line',
                       "    typeset -A opt_args", *main, "}", ""])
    return text + '\n_zctrace "$@"\n'


def files(definition):
    return {f"zsh/_{PROGRAM}": script(definition)}
