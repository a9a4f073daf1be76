# SPDX-License-Identifier: MIT
"""Runs the fuzz targets: each is a test that passes when no input of the corpus, and none of those
that it makes in FUZZ_S seconds, fails."""

import concurrent.futures
import os
import re
import subprocess
import tempfile

from .paths import PATIENCE_S, ROOT
from .tally import Suite

# By default enough to run every input of the corpus, and some more.
FUZZ_S = 5
# The most that one input may take, and its size: longer ones only take longer.
FUZZ_INPUT_S = 20
FUZZ_INPUT_BYTES = 512
# One more than there are cores: a target also waits for the disk.
FUZZ_AT_ONCE = (os.cpu_count() or 1) + 1


def run(build, selection):
    """Yields a Suite for each target."""
    targets = [name for name in sorted(path.stem for path in (ROOT / "tests/fuzz").glob("*_fuzz.cpp"))
               if selection.has(name)]
    with concurrent.futures.ThreadPoolExecutor(FUZZ_AT_ONCE) as pool:
        for name, (runs, failures) in zip(targets, pool.map(lambda name: fuzz(build, name), targets)):
            suite = Suite(f"fuzz {name.removesuffix('_fuzz')}, {runs:,} inputs")
            suite.passed = 0 if failures else 1
            suite.failures = failures
            yield suite


def fuzz(build, name):
    """How many inputs a target was given, and what failed: name -> text."""
    program = build / "fuzz" / name
    if not program.exists():
        return 0, {name: f"{program} is not built: make fuzz-targets"}
    seconds = int(os.environ.get("FUZZ_S", FUZZ_S))
    seeds = ROOT / "tests" / "fixtures" / "fuzz" / name.removesuffix("_fuzz")
    # Inputs that reached new code are kept from one run to the next.
    corpus = build / "fuzz" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zctrace-fuzz-") as directory:
        try:
            done = subprocess.run([program, f"-max_total_time={seconds}",
                                   f"-seed={os.environ.get('FUZZ_SEED', 0)}",
                                   f"-timeout={FUZZ_INPUT_S}", f"-max_len={FUZZ_INPUT_BYTES}",
                                   f"-artifact_prefix={build}/fuzz/{name}-", corpus, seeds],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=seconds + PATIENCE_S,
                                  env={**os.environ, "TMPDIR": directory}, check=False)
            output, status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            output, status = expired.stdout or b"", f"none within {seconds + PATIENCE_S} s"
    output = output.decode(errors="backslashreplace")
    runs = re.search(r"^Done (\d+) runs in", output, re.MULTILINE)
    if status == 0 and runs:
        return int(runs[1]), {}
    return 0, {name: f"exit status {status}\n{output[-6000:]}"}
