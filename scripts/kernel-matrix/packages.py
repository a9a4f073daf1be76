# SPDX-License-Identifier: MIT
"""Debian's packages for any architecture, unpacked into directories; nothing is installed."""

import pathlib
import shutil
import subprocess
import time

# Lists that are older name versions that may be gone.
LISTS_LAST_S = 86400


def stop(message):
    raise SystemExit(f"kernel-matrix: {message}")


def output_of(*words, cwd=None):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, cwd=cwd)
    if done.returncode != 0:
        stop(f"{' '.join(map(str, words))}: exit status {done.returncode}")
    return done.stdout


class Archive:
    """What this machine's apt sources have for an architecture.

    Its lists, and its idea of what is installed, which is nothing, are kept in `directory`: the
    machine's own are neither read nor changed.
    """

    def __init__(self, architecture, directory):
        self._directory = directory.resolve()
        for name in ("lists/partial", "cache/archives/partial"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        (self._directory / "status").touch()
        settings = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",  # another could not write here
            "Dir::State": self._directory,
            "Dir::State::Lists": self._directory / "lists",
            "Dir::State::Status": self._directory / "status",
            "Dir::Cache": self._directory / "cache",
            "Dir::Log": self._directory,
            "Debug::NoLocking": "true",
        }
        self._options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        fresh = self._directory / "fresh"
        if not fresh.exists() or fresh.stat().st_mtime < time.time() - LISTS_LAST_S:
            output_of("apt-get", *self._options, "-q", "update")
            fresh.touch()

    def depends(self, package):
        """The packages that one names as its dependencies."""
        shown = output_of("apt-cache", *self._options, "depends", package)
        return [line.split()[1] for line in shown.splitlines()
                if line.strip().startswith("Depends: ")]

    def unpack(self, packages, root, dependencies):
        """Into `root`, which is made anew; also all that they depend on, where that is wanted."""
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        if dependencies:
            output_of("apt-get", *self._options, "-q", "install", "-y", "--download-only", *packages)
            directory = self._directory / "cache" / "archives"
        else:
            directory = root
            output_of("apt-get", *self._options, "-q", "download", *packages, cwd=directory)
        for archive in sorted(pathlib.Path(directory).glob("*.deb")):
            output_of("dpkg-deb", "-x", archive, root)
            archive.unlink()
