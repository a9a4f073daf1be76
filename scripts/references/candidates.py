# SPDX-License-Identifier: MIT
"""What a shell has sh run to find the words of a kind on the machine: lines of a word, or of a word, a
tab and what it means. Other users choose these words (the name of a process is any 15 bytes), so no
shell may expand them; the tests in tests/cli/usage have a process whose name is a command."""

# As many as a person would look through; a machine may have a million.
MOST = 2000
_CGROUPS = """find "$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)" -mindepth 1 -type d"""

COMMANDS = {
    # ps shows control characters as question marks.
    "pid": r"""ps -eo pid=,comm= | sed 's/^ *\([0-9]*\) */\1\t/'""",
    "process": "ps -eo comm= | sort -u",
    "cgroup": rf"""{_CGROUPS} -printf '/%P\n' | sort""",
    "unit": rf"""{_CGROUPS} -name '*.*' -printf '%f\n' | grep -E '\.(service|slice|scope|socket|mount)$' | sort -u""",
}
COMMANDS = {kind: f"exec 2>/dev/null; {command} | head -n {MOST}" for kind, command in COMMANDS.items()}
