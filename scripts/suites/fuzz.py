# SPDX-License-Identifier: MIT
"""Runs the fuzz targets: each is a test that passes when no input of the corpus, and none of those
that libFuzzer makes from them, fails.

With a fixed seed (FUZZ_SEED, 1 by default) a run makes the same inputs every time: their number is
fixed too, and only the committed corpus is used. FUZZ_SEED=0 chooses a new seed, runs for FUZZ_S
seconds, and keeps inputs that reach new code for the next such run."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile

from .paths import PATIENCE_S, ROOT
from .tally import Suite

FUZZ_S = 5
FUZZ_SEED = 1
# Inputs in a second of FUZZ_S with a fixed seed: what a slow machine manages. A report is shown in
# every view, and a target is a tree of files.
INPUTS_PER_S = {"report_fuzz": 40, "saved_fuzz": 100, "targets_fuzz": 100}
OTHER_INPUTS_PER_S = 2000
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
    seed = int(os.environ.get("FUZZ_SEED", FUZZ_SEED))
    prepare = any_inputs if seed == 0 else same_inputs
    with tempfile.TemporaryDirectory(prefix="zctrace-fuzz-") as directory:
        command, *options = prepare(build, name, seconds, pathlib.Path(directory))
        try:
            done = subprocess.run([*command, program, f"-seed={seed}", f"-timeout={FUZZ_INPUT_S}",
                                   f"-max_len={FUZZ_INPUT_BYTES}",
                                   f"-artifact_prefix={build}/fuzz/{name}-", *options],
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
    used = re.search(r"^INFO: Seed: (\d+)", output, re.MULTILINE)
    return 0, {name: f"exit status {status}, seed {used[1] if used else seed}\n{output[-6000:]}"}


def seeds_of(name):
    return ROOT / "tests" / "fixtures" / "fuzz" / name.removesuffix("_fuzz")


def any_inputs(build, name, seconds, _directory):
    """The words before the program, and options for as many inputs as fit into the time."""
    corpus = build / "fuzz" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    return [], f"-max_total_time={seconds}", corpus, seeds_of(name)


def same_inputs(_build, name, seconds, directory):
    """The words before the program, and options for inputs that are always the same."""
    # In the order of their names: that of a directory differs between file systems.
    inputs = directory / "inputs"
    inputs.write_text(",".join(map(str, sorted(seeds_of(name).iterdir()))))
    runs = seconds * INPUTS_PER_S.get(name, OTHER_INPUTS_PER_S)
    # libFuzzer remembers what was compared by the address of the code. Some containers forbid
    # to fix addresses.
    fixed = ["setarch", "-R"]
    if subprocess.run([*fixed, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        fixed = []
    return fixed, f"-runs={runs}", f"-seed_inputs=@{inputs}"
