# SPDX-License-Identifier: MIT
"""scripts/house finds each thing that it looks for."""

import os
import subprocess

from harness import TestCase
from paths import NOBODY, PATIENCE_S, ROOT, tool

LICENSE = "// SPDX-License-Identifier: MIT\n"


class House(TestCase):
    needs_bpf = False

    def write(self, name, text=LICENSE):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def assert_finds(self, *wanted):
        done = subprocess.run([ROOT / "scripts" / "house", self.directory], capture_output=True,
                              text=True, check=False, timeout=PATIENCE_S)
        found = [line.removeprefix("house: ") for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 1 if wanted else 0, done.stdout + done.stderr)
        if wanted:
            self.assertEqual(found, list(wanted))

    def test_a_tree_in_order(self):
        self.write("collector/os/pipe.h")
        self.write("collector/model/report.h", LICENSE + '#include "collector/os/pipe.h"\n')
        self.write("cli/main.cpp", LICENSE + '#include <map>\n#include "collector/model/report.h"\n')
        self.write("README.md", "# A tree\n[code](cli/main.cpp) [top](#a-tree) <https://a.b>\n")
        self.assert_finds()

    def test_a_tree_without_git(self):
        self.write(".git/config", "")  # no repository, as where git is not installed
        self.write(".git/a.py", "")
        self.write("build/a.py", "")
        self.write("cli/a.py")
        self.assert_finds()
        self.write("cli/a.py", "")
        self.assert_finds("cli/a.py: states no license (SPDX-License-Identifier) in its first two "
                          "lines")

    def test_ignored_files_are_not_looked_at_even_if_the_tree_is_another_users(self):
        self.write(".gitignore", "made/\n")
        self.write("made/a.py", "")
        self.write("cli/a.py")
        subprocess.run([tool("git"), "init", "--quiet", self.directory], check=True, timeout=PATIENCE_S)
        if os.geteuid() == 0:
            for path in (self.directory, self.directory / ".git"):
                os.chown(path, NOBODY, NOBODY)
        self.assert_finds()

    def test_a_folder_with_too_many_files(self):
        for number in range(32):
            self.write(f"cli/{number}.txt")
            self.write(f"tests/fixtures/fuzz/units/{number}")
        self.write("tests/fixtures/fuzz/units/32")
        self.assert_finds()
        self.write("cli/32.txt")
        self.assert_finds("cli: 33 files in one folder; at most 32")

    def test_a_long_source_file(self):
        self.write("cli/a.cpp", LICENSE + "\n" * 419)
        self.write("docs/long.md", "\n" * 2000)
        self.assert_finds()
        self.write("scripts/b", "#!/bin/sh\n# SPDX-License-Identifier: MIT\n" + "\n" * 419)
        self.assert_finds("scripts/b: 421 lines; at most 420")

    def test_a_source_file_without_a_license(self):
        self.write("cli/a.py", "\n\n# SPDX-License-Identifier: MIT\n")
        self.assert_finds("cli/a.py: states no license (SPDX-License-Identifier) in its first two "
                          "lines")

    def test_includes_in_the_wrong_direction(self):
        self.write("cli/a.h")
        self.write("collector/model/b.h", LICENSE + '#include "cli/a.h"\n')
        self.write("transfers/c.h", LICENSE + '#include "collector/model/b.h"\n')
        self.assert_finds(
            "collector/model/b.h: includes cli/a.h; collector/model/ may include collector/model/, "
            "collector/os/, bpf/abi.h",
            "transfers/c.h: includes collector/model/b.h; transfers/ may include transfers/, "
            "collector/os/")

    def test_a_circle_of_includes(self):
        self.write("bpf/a.h", LICENSE + '#include "b.h"\n')
        self.write("bpf/b.h", LICENSE + '#include "bpf/c.h"\n')
        self.write("bpf/c.h", LICENSE + '#include "a.h"\n')
        self.assert_finds("bpf/a.h: includes itself through bpf/b.h, bpf/c.h")

    def test_a_test_module_that_is_imported(self):
        self.write("tests/cli/run/a_test.py", "# SPDX-License-Identifier: MIT\nimport b\n")
        self.assert_finds()
        self.write("tests/cli/c_test.py",
                   "# SPDX-License-Identifier: MIT\nfrom run.a_test import b\n")
        self.assert_finds("tests/cli/c_test.py: imports run.a_test; move what they share to a "
                          "module of its own")

    def test_broken_links(self):
        self.write("docs/a.md", "# One `thing`\n[b](b.md) [c](#one-thing) [d](#two) ![e](e.svg)\n"
                   "`[f](f.md)`\n```\n[g](g.md)\n```\n[h]: ../h.md\n")
        self.assert_finds("docs/a.md: the link to #two is broken: no such heading",
                          "docs/a.md: the link to ../h.md is broken: no such file",
                          "docs/a.md: the link to b.md is broken: no such file",
                          "docs/a.md: the link to e.svg is broken: no such file")
