"""Writes an initramfs: files of this machine with the libraries they need, as a cpio archive.

Written here and not by cpio(1), which would need root to make /dev/console.
"""

import os
import re
import stat
import subprocess


class Initramfs:
    """The guest's files by their path there; directories come with them."""

    def __init__(self):
        self._files = {}  # guest path -> (mode, contents)
        self._sources = set()  # programs whose libraries are in already
        self.directory("/tmp", 0o1777)
        self.directory("/dev")
        self._files["/dev/console"] = (stat.S_IFCHR | 0o600, b"")

    def directory(self, path, mode=0o755):
        self._files.setdefault(self._place(path), (stat.S_IFDIR | mode, b""))

    def add(self, source, path=None):
        """A file, or a link with what it points to; a program with its libraries."""
        source = str(source)
        if path is None and os.path.islink(source):
            target = os.readlink(source)
            if self._put(source, stat.S_IFLNK | 0o777, target.encode()):
                self.add(os.path.join(os.path.dirname(source), target))
            return
        with open(source, "rb") as file:
            contents = file.read()
        executable = 0o755 if os.access(source, os.X_OK) else 0o644
        if not self._put(path or source, stat.S_IFREG | executable, contents):
            return
        if contents[:4] == b"\x7fELF":
            for library in libraries(source):
                self.add(library)

    def tree(self, source, path=None, skip=()):
        """A directory without the entries named in `skip`."""
        path = path or str(source)
        self.directory(path)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if entry.name in skip:
                continue
            if entry.is_dir(follow_symlinks=False):
                self.tree(entry.path, f"{path}/{entry.name}", skip)
            elif entry.is_file():
                self.add(entry.path, f"{path}/{entry.name}")

    def contents(self, path, contents):
        """A file that this machine does not have."""
        self._put(path, stat.S_IFREG | 0o644, contents)

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
        if parent not in self._files and os.path.islink(parent):
            self._files[parent] = (stat.S_IFLNK | 0o777, os.readlink(parent).encode())
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


def libraries(program):
    """Paths of the loader and the shared libraries; none of a static program."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    missing = re.findall(r"^\s*(\S+) => not found", listed, re.MULTILINE)
    if missing:
        raise SystemExit(f"kernel-matrix: {program}: no {', '.join(missing)}")
    return re.findall(r"(/\S+) \(0x", listed)
