# SPDX-License-Identifier: MIT
"""Python programs that lend their memory to a socket."""

# lend(out, block, count) sends `count` blocks by MSG_ZEROCOPY and returns in how many sends;
# finish(out, sends) reads the notifications of that many.
LENDING = """
import os, socket, struct, sys, threading
SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
def lend(out, block, count):
    sends = 0
    for _ in range(count):
        left = block
        while left:
            left = left[out.send(left, MSG_ZEROCOPY):]
            sends += 1
    return sends
def finish(out, sends):
    done = 0
    while done < sends:
        try:
            control = out.recvmsg(0, 256, socket.MSG_ERRQUEUE)[1]
        except BlockingIOError:
            continue
        for _, _, data in control:
            _, origin, _, code, _, first, last = struct.unpack("IBBBBII", data[:16])
            done += last - first + 1
"""

# Sends 16 blocks of 64 KiB to the socket `out`, which has SO_ZEROCOPY if argv has "asked", without
# which the flag means nothing. With "thread" in argv another thread reads the notifications, with
# "process" another process.
LEND_TO_OUT = LENDING + """
if "asked" in sys.argv: out.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
sends = lend(out, memoryview(bytearray(1 << 16)), 16)
if "thread" in sys.argv:
    reader = threading.Thread(target=finish, args=(out, sends))
    reader.start(); reader.join()
elif "process" in sys.argv:
    reader = os.fork()
    if not reader:
        finish(out, sends); os._exit(0)
    os.waitpid(reader, 0)
elif "asked" in sys.argv: finish(out, sends)
out.close()
"""

# The same over the loopback.
LENT = """
import os, socket
listener = socket.create_server(("127.0.0.1", 0))
out = socket.create_connection(listener.getsockname())
peer = listener.accept()[0]
if not os.fork():
    out.close()
    while peer.recv(1 << 16): pass
    os._exit(0)
peer.close()
""" + LEND_TO_OUT + "os.wait()\n"
