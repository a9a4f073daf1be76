# SPDX-License-Identifier: MIT
"""For programs of tests that make network namespaces of their own."""

# What such a program begins with.
NETWORKS = """
import ctypes, fcntl, os, re, socket, struct, subprocess, sys, termios
CLONE_NEWNET, SIOCETHTOOL, ETHTOOL_SSG = 0x40000000, 0x8946, 0x19
libc = ctypes.CDLL(None, use_errno=True)
def ip(*words): subprocess.run(["ip", *words], check=True)
def new_network():
    assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
def set_scatter_gather(device, on):
    value = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_SSG, on))
    fcntl.ioctl(socket.socket(), SIOCETHTOOL,
                struct.pack("16sQ", device, ctypes.addressof(value)))
"""
