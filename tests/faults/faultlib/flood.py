# SPDX-License-Identifier: Apache-2.0
"""Clients that flood: python3 flood.py VARIANT PORT TOTAL writes what became of them, as JSON.

A variant is a generator of bytes for one connection; when the server closes it, the next connection goes on
until TOTAL pieces were sent. Runs in a process of its own, so that it does not slow those who measure.
"""

import itertools
import json
import pathlib
import select
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import frames as f  # noqa: E402

START = f.PREFACE + f.settings()


def rapid_reset():
    block = f.grpc_request()
    for stream in itertools.count(1, 2):
        yield (f.frame(f.HEADERS, f.END_HEADERS, stream, block) +
               f.frame(f.RST_STREAM, 0, stream, struct.pack(">I", 8)))


def continuation():
    yield f.frame(f.HEADERS, 0, 1, f.grpc_request())
    while True:
        yield f.frame(f.CONTINUATION, 0, 1, f.literal("x", "y" * 50))


def large_continuation():
    yield f.frame(f.HEADERS, 0, 1, f.grpc_request())
    while True:
        yield f.frame(f.CONTINUATION, 0, 1, f.literal("x", "y" * 16000))


def hpack_bomb():
    yield f.frame(f.HEADERS, f.END_HEADERS | f.END_STREAM, 1,
                  f.grpc_request() + f.literal("x", "y" * 4000, indexed=True))
    for stream in itertools.count(3, 2):
        yield f.frame(f.HEADERS, f.END_HEADERS | f.END_STREAM, stream, f.grpc_request() + b"\xbe" * 16000)


def settings():
    while True:
        yield f.settings()


def ping():
    while True:
        yield f.frame(f.PING, 0, 0, b"abcdefgh")


def _open(stream=1):
    return f.frame(f.HEADERS, f.END_HEADERS, stream, f.grpc_request())


def empty_data():
    yield _open()
    while True:
        yield f.frame(f.DATA, 0, 1)


def padded_data():
    yield _open()
    while True:
        yield f.frame(f.DATA, f.PADDED, 1, b"\x03\0\0\0")


def priority():
    while True:
        yield f.frame(f.PRIORITY, 0, 3, struct.pack(">IB", 1, 7))


def unknown():
    while True:
        yield f.frame(0xbe, 0, 0, b"?")


def window_update():
    yield _open()
    while True:
        yield f.frame(f.WINDOW_UPDATE, 0, 1, struct.pack(">I", 1))


def too_many_streams():
    """Requests that never end, whatever the limit."""
    for stream in itertools.count(1, 2):
        yield _open(stream)


def long_lists():
    """Requests that never end with as many headers as are allowed."""
    block = f.grpc_request() + f.literal("x", "y" * 30000)
    for stream in itertools.count(1, 2):
        yield f.frame(f.HEADERS, 0, stream, block[:16000]) + f.frame(f.CONTINUATION, f.END_HEADERS, stream,
                                                                     block[16000:])


def zero_window():
    """Calls with no window for their answers."""
    yield f.settings(window=0)
    body = f.grpc_message()
    for stream in itertools.count(1, 2):
        yield _open(stream) + f.frame(f.DATA, f.END_STREAM, stream, body)


def unread():
    """Answers that nobody reads, in HTTP/1.1."""
    while True:
        yield b"GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n"


# Those that mean to stay; the others leave when all is sent.
HOLDS = {"zero_window", "long_lists", "unread"}
READS_NOT = {"unread"}
PLAIN = {"unread"}


class Client:
    """One connection: sends what the variant yields until it is closed or `count` pieces are gone."""

    def __init__(self, variant, port):
        self.pieces = globals()[variant]()
        self.reads = variant not in READS_NOT
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)
        self.out = b"" if variant in PLAIN else START
        self.unparsed = b""
        self.sent = 0
        self.goaway = None
        self.refused = 0
        self.closed = False

    def _read(self):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        frames, self.unparsed = f.parse(self.unparsed + data)
        for kind, _, _, payload in frames:
            if kind == f.GOAWAY:
                self.goaway = int.from_bytes(payload[4:8], "big")
            elif kind == f.RST_STREAM:
                self.refused += 1

    def _write(self, left):
        while len(self.out) < 1 << 16 and left > 0:
            self.out += next(self.pieces)
            self.sent += 1
            left -= 1
        try:
            done = self.socket.send(self.out)
            self.out = self.out[done:]
        except BlockingIOError:
            return
        except OSError:
            self.out = b""
            # Reset: what the server said before may still be here.
            while not self.closed:
                self._read()

    def run(self, count, seconds):
        """Until closed; or, all being sent, for as long as `seconds`."""
        end = time.monotonic() + seconds
        while not self.closed and time.monotonic() < end:
            more = self.sent < count or self.out
            readable, writable, _ = select.select([self.socket] if self.reads else [],
                                                  [self.socket] if more else [], [], 0.1)
            if readable:
                self._read()
            if writable and not self.closed:
                self._write(count - self.sent)
            if not more and not readable and not self.closed:
                break
        return self


def main(variant, port, total, seconds):
    begun = time.monotonic()
    sent, closed, left, codes, most, refused = 0, 0, 0, {}, 0, 0
    while sent < total and time.monotonic() - begun < seconds:
        client = Client(variant, port).run(total - sent, seconds - (time.monotonic() - begun))
        sent += max(client.sent, 1)
        closed += client.closed
        left += not client.closed
        refused += client.refused
        most = max(most, client.sent)
        if client.goaway is not None:
            codes[client.goaway] = codes.get(client.goaway, 0) + 1
        if not client.closed and variant in HOLDS:
            print(json.dumps({"holding": True, "sent": sent}), flush=True)
            sys.stdin.read()  # keeps the connection until it is told to go
        client.socket.close()
    print(json.dumps({"sent": sent, "connections_closed": closed, "left": left, "goaway": codes, "most": most,
                      "refused": refused, "seconds": time.monotonic() - begun}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
