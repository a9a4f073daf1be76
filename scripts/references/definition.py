# SPDX-License-Identifier: MIT
"""The command line as `zctrace help --json` prints it."""

import json
import subprocess

PROGRAM = "zctrace"


class Option:
    def __init__(self, fields):
        self.names = fields["names"]  # with their dashes; an argument without a name has none
        self.value = fields["value"]  # None: a flag
        self.meaning = fields["meaning"]
        self.repeatable = fields["repeatable"]
        self.offers = fields["offers"]
        self.is_list = self.offers[:1] == [","]
        self.words = [word for word in self.offers if word != "," and not word.startswith("@")]
        self.kinds = [word[1:] for word in self.offers if word.startswith("@")]

    @property
    def is_argument(self):
        return not self.names


class Command:
    def __init__(self, fields):
        self.name = fields["name"]
        self.summary = fields["summary"]
        self.usage = fields["usage"]
        self.about = fields["about"]
        self.groups = [(group["title"], [Option(option) for option in group["options"]])
                       for group in fields["groups"]]
        self.lists = [(entries["title"], entries["entries"]) for entries in fields["lists"]]
        self.examples = [(example["purpose"], example["command"]) for example in fields["examples"]]
        self.runs_a_command = fields["runs_a_command"]

    @property
    def is_program(self):
        return self.name == PROGRAM

    @property
    def options(self):
        return [option for _, options in self.groups for option in options if not option.is_argument]

    @property
    def arguments(self):
        return [option for _, options in self.groups for option in options if option.is_argument]


class Definition:
    def __init__(self, text):
        fields = json.loads(text)
        self.version = fields["version"]
        self.program, *self.commands = map(Command, fields["commands"])
        # The kinds of which all words are known when the pages are made.
        self.kinds = {name[1:]: words for name, words in fields["kinds"].items()}
        self.kinds["command"] = [command.name for command in self.commands]


def read(program):
    done = subprocess.run([program, "help", "--json"], capture_output=True, text=True, check=True)
    return Definition(done.stdout)
