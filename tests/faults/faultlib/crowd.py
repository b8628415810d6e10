# SPDX-License-Identifier: Apache-2.0
"""Many clients that do nothing: python3 crowd.py KIND PORT COUNT opens connections and says so, as JSON.

Each has made one request and got its answer (KIND `bare`: none). The process then keeps them until its
standard input ends, and says how many the server had closed. It has a process of its own, for a process may
have only so many descriptors.
"""

import json
import pathlib
import select
import socket
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import frames as f  # noqa: E402

REQUEST = (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
           b"Content-Length: 0\r\n\r\n")
CALL = (f.PREFACE + f.settings() + f.frame(f.HEADERS, f.END_HEADERS, 1, f.grpc_request()) +
        f.frame(f.DATA, f.END_STREAM, 1, f.grpc_message()))


def _answered(data):
    return b"\r\n\r\n" in data


def _called(data):
    return any(kind == f.HEADERS and flags & f.END_STREAM for kind, flags, _, _ in f.parse(data)[0])


# What is sent, the protocol to settle on in TLS, and whether an answer is whole.
KINDS = {
    "bare": (b"", None, lambda data: True),
    "http": (REQUEST, None, _answered),
    "grpc": (CALL, None, _called),
    "tls": (REQUEST, "http/1.1", _answered),
    "tls_grpc": (CALL, "h2", _called),
}
# So many are under way at a time, less than the backlog of a listener.
AT_A_TIME = 200


def _context(protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


class Crowd:
    def __init__(self, kind, port):
        self.request, protocol, self.answered = KINDS[kind]
        self.context = _context(protocol) if protocol else None
        self.port = port
        self.poll = select.epoll()
        self.under_way = {}  # descriptor: [socket, whether the request has gone, answer]
        self.ready = {}

    def start(self, number):
        # Many source addresses, for an address has 28 000 ports.
        plain = socket.socket()
        plain.bind((f"127.0.{1 + number % 8}.1", 0))
        plain.connect(("127.0.0.1", self.port))
        plain.setblocking(False)
        client = self.context.wrap_socket(plain, do_handshake_on_connect=False) if self.context else plain
        self.under_way[client.fileno()] = [client, False, b""]
        self.poll.register(client.fileno(), select.EPOLLIN)
        self.go_on(client.fileno())

    def go_on(self, fd):
        """As far as it goes without waiting."""
        state = self.under_way[fd]
        client = state[0]
        try:
            if not state[1]:
                if self.context:
                    client.do_handshake()
                client.sendall(self.request)
                state[1] = True
            while not self.answered(state[2]):
                data = client.recv(1 << 14)
                if not data:
                    raise RuntimeError(f"closed after {state[2]!r}")
                state[2] += data
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        self.ready[fd] = client
        del self.under_way[fd]

    def gather(self, count):
        started = 0
        while len(self.ready) < count:
            while started < count and len(self.under_way) < AT_A_TIME:
                self.start(started)
                started += 1
            for fd, _ in self.poll.poll(0.01):
                if fd in self.under_way:
                    self.go_on(fd)

    def is_closed(self, client):
        try:
            while True:
                if not client.recv(1 << 14):
                    return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True


def main(kind, port, count):
    crowd = Crowd(kind, port)
    begun = time.monotonic()
    crowd.gather(count)
    print(json.dumps({"open": count, "seconds": time.monotonic() - begun}), flush=True)
    sys.stdin.read()
    print(json.dumps({"closed": sum(map(crowd.is_closed, crowd.ready.values()))}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
