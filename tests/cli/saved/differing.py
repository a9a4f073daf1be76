# SPDX-License-Identifier: MIT
"""Reports that are saved and compared."""

import functools
import json
import subprocess

import jsonschema

from harness import TestCase
from paths import PATIENCE_S, ZCTRACE


@functools.cache
def diff_schema():
    text = subprocess.run([ZCTRACE, "diff", "--json-schema"], capture_output=True, text=True,
                          check=True, timeout=PATIENCE_S).stdout
    return jsonschema.Draft202012Validator(json.loads(text))


class Differing(TestCase):
    def save(self, name, *command):
        path = self.directory / name
        done = self.zctrace("run", "-q", "--json", path, "--", *command)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def dd(self, name, size):
        return self.save(name, "dd", "if=/etc/passwd", "of=/dev/null", f"bs={size}", "status=none")

    def diff(self, *words, status=0):
        done = self.zctrace("diff", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def figures(self, *words):
        found = json.loads(self.diff("-q", "--json", "-", *words).stdout)
        diff_schema().validate(found)
        return {(figure["scope"], figure["name"]): figure for figure in found["figures"]}
