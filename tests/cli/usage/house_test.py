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

    def test_includes_between_rooms_of_the_collector(self):
        self.write("collector/observe/a.h", LICENSE + '#include "collector/fuse/counts/b.h"\n')
        self.write("collector/fuse/counts/b.h", LICENSE + '#include "collector/fuse/mount/c.h"\n')
        self.write("collector/fuse/mount/c.h", LICENSE + '#include "collector/os/d.h"\n')
        self.write("collector/fuse/report/e.h", LICENSE + '#include "collector/observe/a.h"\n')
        self.write("collector/os/d.h")
        self.write("collector/new/f.h")
        self.assert_finds(
            "collector/fuse/counts/b.h: includes collector/fuse/mount/c.h; collector/fuse/counts/ may "
            "include collector/fuse/counts/, collector/os/, collector/model/",
            "collector/new/f.h: is in no room; MAY_INCLUDE in scripts/house lists them",
            "collector/observe/a.h: includes collector/fuse/counts/b.h; collector/observe/ may "
            "include collector/observe/, collector/os/, collector/model/, bpf/abi.h, "
            "bpf/stacks/stack_records.h")

    def test_includes_between_rooms_of_the_command_line(self):
        self.write("cli/views/a.h", LICENSE + '#include "cli/views/compare/b.h"\n')
        self.write("cli/views/compare/b.h", LICENSE + '#include "cli/compare/c.h"\n')
        self.write("cli/compare/c.h", LICENSE + '#include "cli/output/write.h"\n')
        self.write("cli/output/write.h")
        self.write("cli/commands/d.cpp", LICENSE + '#include "cli/views/compare/b.h"\n')
        self.write("cli/text/e.h", LICENSE + '#include "cli/output/write.h"\n')
        self.assert_finds(
            "cli/text/e.h: includes cli/output/write.h; cli/text/ may include cli/text/, collector/, "
            "transfers/, bpf/abi.h",
            "cli/views/a.h: includes cli/views/compare/b.h; cli/views/ may include cli/views/, "
            "collector/, transfers/, bpf/abi.h, cli/text/")

    def test_a_type_name_with_two_meanings(self):
        self.write("cli/a.h", LICENSE + "// struct Report {\nusing Lines = std::vector<int>;\n"
                                        "class Forward;\n")
        self.write("cli/b.h", LICENSE + "struct Report : Base {\n  enum class Kind { none };\n};\n"
                                        "using Lines = std::vector<int>;\nclass Forward;\n")
        self.write("cli/c.h", LICENSE + "struct C {\n  enum Sort { one };\n  using Key = int;\n};\n"
                                        "using State = C::State;\n")
        self.write("cli/c.cpp", LICENSE + "void c() {\n    using Sort = C::Sort;\n}\n"
                                          "struct D {\n  using Key = int;\n};\n")
        self.write("cli/d.h", LICENSE + "enum class State { on };\n")
        self.assert_finds()
        self.write("tests/unit/e_test.cpp", LICENSE + "template <typename T>\nclass Report final {\n};\n"
                                                      "using Lines = std::vector<char>;\n")
        self.write("tests/unit/f_test.cpp", LICENSE + "enum class Kind : int { two };\n")
        self.assert_finds("cli/b.h: Kind is another type in tests/unit/f_test.cpp",
                          "cli/a.h: Lines is another type in cli/b.h, tests/unit/e_test.cpp",
                          "cli/b.h: Report is another type in tests/unit/e_test.cpp")

    def test_a_nested_type_name_with_two_meanings(self):
        self.write("cli/a.h", LICENSE + "class A {\n  struct Free {\n  };\n  using Key = int;\n"
                                        "  enum class Sort { up };\n};\n")
        self.write("cli/b.cpp", LICENSE + "struct B {\n  enum Key { none };\n};\n")
        self.write("cli/c.cpp", LICENSE + "struct C {\n  struct Free {\n  };\n};\n"
                                          "struct D {\n  struct Sort {\n  };\n"
                                          "};\nstruct E {\n  union Sort {\n  };\n};\n")
        self.assert_finds("cli/a.h: Free is another type in cli/c.cpp",
                          "cli/a.h: Key is another type in cli/b.cpp",
                          "cli/a.h: Sort is another type in cli/c.cpp, cli/c.cpp")

    def test_an_alias_within_a_function_with_two_meanings(self):
        self.write("cli/a.cpp", LICENSE + "void a() {\n  using Sort = RowSort;\n}\n")
        self.write("cli/b.cpp", LICENSE + "void b() {\n  if (c) {\n    using Sort = RowSort;\n  }\n}\n")
        self.assert_finds()
        self.write("cli/c.cpp", LICENSE + "class C {\n  void c() {\n    using Sort = ProcessSort;\n"
                                          "  }\n};\n")
        self.assert_finds("cli/a.cpp: Sort is another type in cli/b.cpp, cli/c.cpp")

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

    def test_an_example_that_no_longer_applies(self):
        self.write("cli/a.cpp", LICENSE + "one\ntwo\nthree\n")
        self.write("docs/examples/add.patch", "Adds a line.\n\nTest: unit *A*\n\n"
                   "diff --git a/cli/a.cpp b/cli/a.cpp\n--- a/cli/a.cpp\n+++ b/cli/a.cpp\n"
                   "@@ -2,2 +2,3 @@\n one\n+more\n two\n"
                   "diff --git a/cli/b.cpp b/cli/b.cpp\nnew file mode 100644\n--- /dev/null\n"
                   "+++ b/cli/b.cpp\n@@ -0,0 +1 @@\n+b\n")
        page = "[example](docs/examples/add.patch): `cli/a.cpp`, `cli/b.cpp`, `build/zctrace`\n"
        self.write("CONTRIBUTING.md", page)
        self.assert_finds()
        self.write("cli/a.cpp", LICENSE + "one\n2\nthree\n")
        self.assert_finds("docs/examples/add.patch: does not apply any more: error: patch failed: "
                          "cli/a.cpp:2; mend it as CONTRIBUTING.md says")
        # Above it, the lines may move.
        self.write("cli/a.cpp", LICENSE + "// more\none\ntwo\nthree\n")
        self.assert_finds()

    def test_an_example_without_tests_or_a_link(self):
        self.write("cli/a.cpp", LICENSE + "one\ntwo\n")
        self.write("docs/examples/add.patch", "Adds a line.\n\nTest: all *A*\n\n"
                   "diff --git a/cli/a.cpp b/cli/a.cpp\n--- a/cli/a.cpp\n+++ b/cli/a.cpp\n"
                   "@@ -2,2 +2,3 @@\n one\n+more\n two\n")
        self.write("CONTRIBUTING.md", "`cli/c.cpp`\n")
        self.assert_finds("docs/examples/add.patch: CONTRIBUTING.md has no link to it",
                          "docs/examples/add.patch: needs a line `Test: SUITE PATTERN`; the suites are "
                          "unit, kernel",
                          "CONTRIBUTING.md: there is no cli/c.cpp")

    def test_versions_that_disagree(self):
        self.write("VERSION", "0.3.0\n")
        self.write("CHANGELOG.md", "## [Unreleased]\n\n## [0.3.0] - 2026-12-01\n\n## [0.2.0] - 2026-11-29\n")
        self.write("CITATION.cff", "version: 0.3.0\ndate-released: 2026-12-01\n")
        self.write("deploy/kubernetes/pod.yaml", "image: zctrace:0.3.0\n")
        self.assert_finds()
        self.write("CHANGELOG.md", "## [Unreleased]\n\n## [0.3.0]\n")
        self.write("CITATION.cff", "version: 0.2.0\n")
        self.write("deploy/kubernetes/pod.yaml", "image: zctrace:0.2.0\n")
        self.assert_finds("CHANGELOG.md: the release 0.3.0 has no day: ## [0.3.0] - YYYY-MM-DD",
                          "CITATION.cff: version is 0.2.0, and should be 0.3.0",
                          "deploy/kubernetes/pod.yaml: names the image zctrace:0.2.0, but VERSION is 0.3.0")
        self.write("VERSION", "0.4.0\n")
        self.write("CITATION.cff", "version: 0.4.0\n")
        self.write("deploy/kubernetes/pod.yaml", "")
        self.assert_finds("CHANGELOG.md: its latest release is 0.3.0, but VERSION is 0.4.0")
