# SPDX-License-Identifier: MIT
"""For programs of tests that make network namespaces of their own."""

# What such a program begins with.
NETWORKS = """
import ctypes, fcntl, os, re, socket, struct, subprocess, sys, termios
CLONE_NEWNET, SIOCETHTOOL, ETHTOOL_SSG = 0x40000000, 0x8946, 0x19
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO = 0x17, 0x1f, 0x24
libc = ctypes.CDLL(None, use_errno=True)
def ip(*words): subprocess.run(["ip", *words], check=True)
def new_network():
    assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
def set_feature(device, feature, on):
    value = ctypes.create_string_buffer(struct.pack("II", feature, on))
    fcntl.ioctl(socket.socket(), SIOCETHTOOL,
                struct.pack("16sQ", device, ctypes.addressof(value)))
def set_scatter_gather(device, on): set_feature(device, ETHTOOL_SSG, on)
# No larger than the device's MTU, and with their checksums.
def send_whole_frames(device):
    for feature in (ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM): set_feature(device, feature, 0)
"""

# Passes the frames of two devices on to each other, a little later, and loses every fiftieth. argv:
# the devices. It says when it is ready. The ends must send frames that fit (send_whole_frames).
LOSSY_RELAY = """
import select, time
DELAY_S, LOSS = 0.005, 50
ends = []
for name in sys.argv[1:3]:
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    end.bind((name, 0))
    ends.append(end)
print("ready", flush=True)
waiting, count = [], 0
while True:
    left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    for end in select.select(ends, [], [], left)[0]:
        frame, address = end.recvfrom(1 << 16)
        if address[2] == socket.PACKET_OUTGOING: continue
        count += 1
        if count % LOSS: waiting.append((time.monotonic() + DELAY_S, ends[end is ends[0]], frame))
    while waiting and waiting[0][0] <= time.monotonic():
        _, end, frame = waiting.pop(0)
        end.send(frame)
"""
