# SPDX-License-Identifier: Apache-2.0
"""A small Loki, written from its push API: it keeps streams by tenant and is strict about labels and order.

As the real one it takes what is good of a push and answers 400 when something was not, takes an entry that it has
already without keeping it twice, and knows OTLP at /otlp/v1/logs."""

import fcntl
import gzip
import http.server
import importlib
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

import snappy

from . import messages, paths

PUSH = "/loki/api/v1/push"
OTLP = "/otlp/v1/logs"
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"')
_ESCAPE = re.compile(r'\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)')
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


class Refused(Exception):
    """What is wrong with a push."""


def _unescape(match):
    text = match.group(1)
    if len(text) > 1:
        return chr(int(text[1:], 16))
    if text not in _NAMED:
        raise Refused(f"no escape: \\{text}")
    return _NAMED[text]


def parse_labels(text):
    """A sorted tuple of pairs; Refused if `text` is no selector of at least one label, sorted, each once."""
    if not (text.startswith("{") and text.endswith("}")):
        raise Refused(f"no labels: {text}")
    at, pairs = 1, []
    while at < len(text) - 1:
        match = _LABEL.match(text, at)
        if not match:
            raise Refused(f"no label at {at} of {text}")
        pairs.append((match.group(1), _ESCAPE.sub(_unescape, match.group(2))))
        at = match.end()
        if text[at:at + 2] == ", ":
            at += 2
        elif at != len(text) - 1:
            raise Refused(f"no end of a label at {at} of {text}")
    names = [name for name, _ in pairs]
    if not names or names != sorted(set(names)):
        raise Refused(f"not one or more labels in order: {text}")
    return tuple(pairs)


def _push_module():
    """protoc's module of push.proto."""
    target = paths.GENERATED / "loki"
    target.mkdir(parents=True, exist_ok=True)
    source = pathlib.Path(__file__).with_name("push.proto")
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "push_pb2.py").exists():
            subprocess.run(["protoc", "-I", str(source.parent), "--python_out", str(target), str(source)], check=True)
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    return importlib.import_module("push_pb2")


class Loki:
    """`answer(number)`, asked before a request is looked at, may return (status, headers, body); None: none of that."""

    def __init__(self, answer=None, port=0, host="127.0.0.1"):
        self._answer = answer or (lambda _: None)
        self._push = _push_module()
        self._lock = threading.Lock()
        self._tenants = {}
        self.requests = []  # (path, headers with lower-case names, time.monotonic())
        self.otlp = []      # (tenant, ExportLogsServiceRequest)
        self.most_at_once = 0
        self._at_once = 0
        loki = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                loki._serve(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{PUSH}"

    @property
    def otlp_url(self):
        return f"http://127.0.0.1:{self.port}/otlp"

    def streams(self, tenant=""):
        """{labels as a sorted tuple of pairs: [(nanoseconds, line), ...]}."""
        with self._lock:
            return {labels: list(entries) for labels, entries in self._tenants.get(tenant, {}).items()}

    def lines(self, tenant=""):
        """All lines of the tenant, by stream."""
        return [line for entries in self.streams(tenant).values() for _, line in entries]

    def tenants(self):
        with self._lock:
            return sorted(self._tenants)

    def _serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._lock:
            self.requests.append((handler.path, headers, time.monotonic()))
            number = len(self.requests)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        status, more, text = self._answer(number) or self._take(handler.path, headers, body)
        with self._lock:
            self._at_once -= 1
        handler.send_response(status)
        for name, value in more.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(text)

    def _take(self, path, headers, body):
        tenant = headers.get("x-scope-orgid", "")
        if headers.get("content-type") not in ("application/x-protobuf", "application/json" if path == PUSH else ""):
            return 415, {}, b"unsupported content type"
        try:
            if path == PUSH:
                self._take_push(tenant, headers, body)
            elif path == OTLP:
                self._take_otlp(tenant, headers, body)
            else:
                return 404, {}, b"404 page not found"
        except Refused as error:
            return 400, {}, f"{error}\nand more".encode()
        return 204, {}, b""

    def _take_otlp(self, tenant, headers, body):
        encoding = headers.get("content-encoding", "")
        if encoding not in ("", "gzip"):
            raise Refused(f"content encoding {encoding}")
        message = messages.request("logs").FromString(gzip.decompress(body) if encoding else body)
        with self._lock:
            self.otlp.append((tenant, message))

    def _read_json(self, headers, body):
        encoding = headers.get("content-encoding", "")
        if encoding not in ("", "gzip"):
            raise Refused(f"content encoding {encoding}")
        push = self._push.PushRequest()
        for stream in json.loads(gzip.decompress(body) if encoding else body)["streams"]:
            names = sorted(stream["stream"])
            labels = ", ".join("%s=%s" % (n, json.dumps(stream["stream"][n], ensure_ascii=False)) for n in names)
            made = push.streams.add(labels="{" + labels + "}")
            for time_text, line in stream["values"]:
                entry = made.entries.add(line=line)
                entry.timestamp.seconds, entry.timestamp.nanos = divmod(int(time_text), 10**9)
        return push

    def _take_push(self, tenant, headers, body):
        as_json = headers["content-type"] == "application/json"
        if "content-encoding" in headers and not as_json:
            raise Refused("content encoding of a push")
        try:
            push = (self._read_json(headers, body) if as_json
                    else self._push.PushRequest.FromString(snappy.decompress(body)))
        except Exception as error:
            raise Refused(f"no push request: {error}") from error
        problem = None
        for stream in push.streams:
            try:
                labels = parse_labels(stream.labels)
                if not stream.entries:
                    raise Refused(f"no entries in {stream.labels}")
                self._add(tenant, labels, stream.entries)
            except Refused as error:
                problem = problem or error
        if problem or not push.streams:
            raise problem or Refused("no streams")

    def _add(self, tenant, labels, entries):
        with self._lock:
            kept = self._tenants.setdefault(tenant, {}).setdefault(labels, [])
            for entry in entries:
                new = (entry.timestamp.seconds * 10**9 + entry.timestamp.nanos, entry.line)
                if new in kept:
                    continue
                if kept and new[0] < kept[-1][0]:
                    raise Refused(f"entry out of order for {labels}")
                kept.append(new)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
