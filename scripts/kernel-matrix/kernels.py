# SPDX-License-Identifier: MIT
"""Debian's kernels and their modules."""

import lzma
import re


class Kernel:
    """A Debian kernel package, unpacked. A meta-package stands for the image that is current."""

    def __init__(self, name, archive, directory):
        images = [found for found in archive.depends(name) if found.startswith("linux-image-")]
        self.package = images[0] if images else name
        self.version = self.package.removeprefix("linux-image-")
        self.directory = directory / self.package
        if not self.image.exists():
            archive.unpack([self.package], self.directory, dependencies=False)

    @property
    def image(self):
        return self.directory / "boot" / f"vmlinuz-{self.version}"

    def modules(self, names):
        """name -> contents, in the order in which they can be loaded; without those that are built
        in or do not exist."""
        paths = {path.name.partition(".ko")[0].replace("-", "_"): path for path in
                 (self.directory / "lib" / "modules" / self.version / "kernel").rglob("*.ko*")}
        found = {}

        def add(name):
            if name in found or name not in paths:
                return
            contents = paths[name].read_bytes()
            if paths[name].suffix == ".xz":
                contents = lzma.decompress(contents)
            needs = re.search(rb"\0depends=([^\0]*)\0", contents)
            for need in needs[1].decode().split(",") if needs else []:
                add(need.replace("-", "_"))
            found[name] = contents

        for name in names:
            add(name)
        return found
