# SPDX-License-Identifier: MIT
"""A Python program that lends its memory to a socket."""

# Sends 16 blocks of 64 KiB over the loopback by MSG_ZEROCOPY; with argv "asked" the socket has
# SO_ZEROCOPY, without which the flag means nothing.
LENT = """
import os, socket, struct, sys
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
listener = socket.create_server(("127.0.0.1", 0))
out = socket.create_connection(listener.getsockname())
peer = listener.accept()[0]
if not os.fork():
    out.close()
    while peer.recv(1 << 16): pass
    os._exit(0)
peer.close()
if sys.argv[1] == "asked": out.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
block = memoryview(bytearray(1 << 16))
sends = done = 0
for _ in range(16):
    left = block
    while left:
        left = left[out.send(left, MSG_ZEROCOPY):]
        sends += 1
while sys.argv[1] == "asked" and done < sends:
    try:
        control = out.recvmsg(0, 256, socket.MSG_ERRQUEUE)[1]
    except BlockingIOError:
        continue
    for _, _, data in control:
        _, origin, _, code, _, first, last = struct.unpack("IBBBBII", data[:16])
        done += last - first + 1
out.close(); os.wait()
"""
