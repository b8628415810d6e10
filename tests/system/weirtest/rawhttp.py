# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes: a client on raw sockets that hides nothing, curl, nghttp, and a small server."""

import collections
import http.server
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

SECONDS = 30.0

# status: int; headers: dict of lower-case name to text (repeats joined by ", "); body: bytes.
Response = collections.namedtuple("Response", "status headers body")


def _fold(pairs):
    headers = {}
    for name, value in pairs:
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def connect(target):
    """A stream socket to a port of 127.0.0.1 or to a path."""
    if isinstance(target, int):
        return socket.create_connection(("127.0.0.1", target), SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(SECONDS)
    connection.connect(str(target))
    return connection


class Connection:
    """One HTTP/1.1 connection on which requests and answers are bytes."""

    def __init__(self, target):
        self.socket = connect(target)
        self._buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(65536)
        self._buffer += data
        return bool(data)

    def _until(self, mark):
        while mark not in self._buffer:
            if not self._more():
                raise ConnectionError(f"closed after {self._buffer!r}")
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _exactly(self, count):
        while len(self._buffer) < count:
            if not self._more():
                raise ConnectionError(f"closed: {len(self._buffer)} of {count} bytes")
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _chunked(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n").split(b";")[0], 16)
            body += self._exactly(size)
            self._until(b"\r\n")
            if size == 0:
                return body

    def receive(self, head_only=False):
        """The next answer."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = _fold(re.split(r":\s*", line, maxsplit=1) for line in lines[1:])
        if head_only or status in (204, 304) or status < 200:
            return Response(status, headers, b"")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Response(status, headers, self._chunked())
        if "content-length" in headers:
            return Response(status, headers, self._exactly(int(headers["content-length"])))
        while self._more():
            pass
        body, self._buffer = self._buffer, b""
        return Response(status, headers, body)

    def closed(self):
        """True when the peer closes within the deadline without sending more."""
        try:
            return not self._buffer and not self._more()
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def encode(method, path, headers, body):
    """The bytes of a request; Host and Content-Length are added unless given."""
    fields = {"Host": "localhost", **headers}
    names = {name.lower() for name in fields}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        fields["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b"")


def request(target, method, path, headers=None, body=None):
    """One request on a connection of its own. A peer that answers and closes before it has read
    the whole body is no error: its answer counts."""
    with Connection(target) as connection:
        try:
            connection.send(encode(method, path, headers or {}, body))
        except (BrokenPipeError, ConnectionResetError):
            pass
        return connection.receive(head_only=method == "HEAD")


def post(target, path, body, content_type="application/x-protobuf", **headers):
    """POST; further headers as keywords with _ for -."""
    fields = {"Content-Type": content_type} if content_type else {}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    return request(target, "POST", path, fields, body)


def curl(*args, data=None):
    """Runs curl and returns its Response; `data` is sent as the body."""
    with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
        folder = pathlib.Path(folder)
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time",
                   str(int(SECONDS)), "-D", str(folder / "head"), "-o", str(folder / "body")]
        if data is not None:
            (folder / "data").write_bytes(data)
            command += ["--data-binary", f"@{folder / 'data'}"]
        subprocess.run(command + [str(a) for a in args], check=True, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=SECONDS + 5)
        # With --head curl writes the head where the body goes.
        body = folder / ("none" if "--head" in args else "body")
        blocks = (folder / "head").read_bytes().decode("latin-1").split("\r\n\r\n")
        heads = [b for b in blocks if b.startswith("HTTP/") and b.split()[1] != "100"]
        lines = heads[-1].split("\r\n")
        return Response(int(lines[0].split()[1]),
                        _fold(re.split(r":\s*", line, maxsplit=1) for line in lines[1:]),
                        body.read_bytes() if body.exists() else b"")


def nghttp(url, headers=(), data=None):
    """Runs nghttp (HTTP/2 with prior knowledge): Response with the trailers among the headers.

    The status is None when the peer sent no answer; the text of nghttp is then the body."""
    with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
        command = ["nghttp", "--verbose", "--null-out", "--timeout", str(int(SECONDS))]
        for name, value in headers:
            command += ["-H", f"{name}: {value}"]
        if data is not None:
            path = pathlib.Path(folder) / "data"
            path.write_bytes(data)
            command += ["--data", str(path)]
        done = subprocess.run(command + [url], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS + 5)
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode("latin-1"))
        pairs = re.findall(r"recv \(stream_id=[0-9]+(?:, sensitive)?\) (:?[^:\s]+): (.*)", text)
        found = _fold(pairs)
        status = found.pop(":status", None)
        return Response(int(status) if status else None, found, text)


class Sink:
    """An HTTP/1.1 server that keeps every request as (path, headers, body). `answer(number)` may
    return (status, headers, body); None stands for 200 and an empty body."""

    Received = collections.namedtuple("Received", "path headers body")

    def __init__(self, answer=None):
        self._answer = answer
        self._lock = threading.Lock()
        self._received = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                sink._serve(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _serve(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        with self._lock:
            self._received.append(self.Received(handler.path, _fold(handler.headers.items()), body))
            number = len(self._received)
        status, headers, text = (self._answer and self._answer(number)) or (200, {}, b"")
        handler.send_response(status)
        fields = {"Content-Type": handler.headers.get("Content-Type", "text/plain"), **headers}
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    @property
    def received(self):
        with self._lock:
            return list(self._received)

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def listening(port):
    """True when somebody accepts connections on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_listening(port, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not listening(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens on port {port} within {seconds} s")
        time.sleep(0.01)
