# SPDX-License-Identifier: MIT
"""Writes an initramfs: files of a root with the libraries they need, as a cpio archive.

Written here and not by cpio(1), which would need root to make /dev/console.
"""

import os
import re
import stat
import subprocess


# Where the libraries of a program are looked for, by the machine that readelf names.
LIBRARIES = {
    "Advanced Micro Devices X86-64": ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"],
    "Intel 80386": ["/lib32", "/usr/lib32", "/lib/i386-linux-gnu", "/usr/lib/i386-linux-gnu"],
    "AArch64": ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"],
}


class Initramfs:
    """The guest's files by their path there; directories come with them.

    A file without a path of its own lies below `root` as it does in the guest.
    """

    def __init__(self, root="/"):
        self._root = str(root).rstrip("/")
        self._files = {}  # guest path -> (mode, contents)
        self.directory("/tmp", 0o1777)
        self.directory("/dev")
        self._files["/dev/console"] = (stat.S_IFCHR | 0o600, b"")

    def directory(self, path, mode=0o755):
        self._files.setdefault(self._place(path), (stat.S_IFDIR | mode, b""))

    def add_own(self, path):
        """A file of the root, or a link with what it points to; a program with its libraries."""
        source = self._root + path
        if os.path.islink(source):
            target = os.readlink(source)
            if self._put(path, stat.S_IFLNK | 0o777, target.encode()):
                self.add_own(os.path.normpath(os.path.join(os.path.dirname(path), target)))
            return
        self.add(source, path)

    def add(self, source, path):
        """A file from anywhere; a program with its libraries, which are the root's."""
        with open(source, "rb") as file:
            contents = file.read()
        executable = 0o755 if os.access(source, os.X_OK) else 0o644
        if not self._put(path, stat.S_IFREG | executable, contents):
            return
        if contents[:4] == b"\x7fELF":
            for library in self._libraries(source):
                self.add_own(library)

    def tree_own(self, path, skip=()):
        """A directory of the root without the entries named in `skip`."""
        self.tree(self._root + path, path, skip)

    def tree(self, source, path, skip=()):
        self.directory(path)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if entry.name in skip:
                continue
            if entry.is_dir(follow_symlinks=False):
                self.tree(entry.path, f"{path}/{entry.name}", skip)
            elif entry.is_file():
                self.add(entry.path, f"{path}/{entry.name}")

    def contents(self, path, contents):
        """A file that no root has."""
        self._put(path, stat.S_IFREG | 0o644, contents)

    def _libraries(self, program):
        """Paths in the guest of the loader and of the libraries that a program names itself."""
        listed = subprocess.run(["readelf", "-Whld", program], capture_output=True, text=True,
                                check=True).stdout
        machine = re.search(r"^ *Machine: +(.+)$", listed, re.MULTILINE)[1]
        found = re.findall(r"program interpreter: (.+)\]", listed)
        for name in re.findall(r"\(NEEDED\) +Shared library: \[(.+)\]", listed):
            if any(os.path.basename(path) == name for path in found):
                continue  # the loader, by its path
            paths = [f"{directory}/{name}" for directory in LIBRARIES[machine]]
            there = [path for path in paths if os.path.exists(self._root + path)]
            if not there:
                raise SystemExit(f"kernel-matrix: {program}: no {name} in {', '.join(paths)}")
            found.append(there[0])
        return found

    def _put(self, path, mode, contents):
        """False where there is one already."""
        path = self._place(path)
        if path in self._files:
            return False
        self._files[path] = (mode, contents)
        return True

    def _place(self, path):
        """Where a path leads: /bin, /lib and /sbin are links on a merged system."""
        parent, name = os.path.split(os.path.normpath(path))
        if parent == "/":
            return f"/{name}"
        parent = self._place(parent)
        if parent not in self._files and os.path.islink(self._root + parent):
            target = os.readlink(self._root + parent)
            self._files[parent] = (stat.S_IFLNK | 0o777, target.encode())
        while parent in self._files and stat.S_ISLNK(self._files[parent][0]):
            target = self._files[parent][1].decode()
            parent = self._place(os.path.join(os.path.dirname(parent), target))
        if parent not in self._files:
            self._files[parent] = (stat.S_IFDIR | 0o755, b"")
        return os.path.join(parent, name)

    def write(self, path):
        with open(path, "wb") as archive:
            # In this order a directory comes before what is in it.
            for number, (name, (mode, contents)) in enumerate(sorted(self._files.items()), 1):
                archive.write(entry(number, name[1:], mode, contents))
            archive.write(entry(0, "TRAILER!!!", 0, b""))


def entry(number, name, mode, contents):
    """One file in the format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    device = (5, 1) if stat.S_ISCHR(mode) else (0, 0)
    fields = (number, mode, 0, 0, 1, 0, len(contents), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return padded(head) + padded(contents)


def padded(contents):
    return contents + b"\0" * (-len(contents) % 4)
