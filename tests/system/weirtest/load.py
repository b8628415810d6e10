# SPDX-License-Identifier: Apache-2.0
"""Many requests, fast, every item numbered: what was lost, doubled or misplaced is known by number.

Bodies are put together from ready bytes instead of messages. An item's number stands in its span
name, log body or data point attribute; the number of its request stands in the resource.
"""

import collections
import queue
import re
import threading

from . import messages, rawhttp, rpc
from .requests import PROTO, field

_MARK = re.compile(rb"item:([0-9]{9});")
_TIMES = {"traces": bytes.fromhex("39" "0100000000000000" "41" "0200000000000000"),
          "logs": bytes.fromhex("09" "0100000000000000"),
          "metrics": bytes.fromhex("19" "0100000000000000" "31" "0200000000000000")}

# signal, first: number of its first item, count: its items, number: its own.
Request = collections.namedtuple("Request", "signal first count number body")
# request: a Request; outcome: an HTTP status or the name of a gRPC code.
Answered = collections.namedtuple("Answered", "request outcome")


def _item(signal, number):
    mark = b"item:%09d;" % number
    if signal == "traces":
        ids = field(1, b"\1" * 16) + field(2, number.to_bytes(4, "big") * 2)
        return field(2, ids + field(5, mark) + _TIMES["traces"])
    text = field(1, mark)
    if signal == "logs":
        return field(2, _TIMES["logs"] + field(5, text))
    return field(1, field(7, field(1, b"number") + field(2, text)) + _TIMES["metrics"])


def _scope(signal, items):
    """A ScopeSpans, ScopeLogs or ScopeMetrics; data points are spread over gauges of up to 7."""
    scope = field(1, field(1, b"scope"))
    if signal != "metrics":
        return scope + b"".join(items)
    return scope + b"".join(field(2, field(1, b"gauge") + field(5, b"".join(items[i:i + 7])))
                            for i in range(0, len(items), 7))


def request(signal, first, count, number, padding=0):
    """A request with the items `first` to `first + count - 1`, in two resources when it has many,
    each of them `padding` bytes larger than it need be."""
    items = [_item(signal, first + i) for i in range(count)]
    attribute = field(1, b"request") + field(2, field(1, b"%d" % number))
    attributes = field(1, attribute)
    if padding:
        attributes += field(1, field(1, b"padding") + field(2, field(1, b"." * padding)))
    resource = field(1, attributes)
    cut = count if count < 20 else count // 3
    body = b"".join(field(1, resource + field(2, _scope(signal, part)))
                    for part in (items[:cut], items[cut:]) if part)
    return Request(signal, first, count, number, body)


def requests(signals, sizes, padding=0):
    """One request for each size, the signals in turn; each signal's items are numbered from 0."""
    next_item = dict.fromkeys(signals, 0)
    made = []
    for number, size in enumerate(sizes):
        signal = signals[number % len(signals)]
        made.append(request(signal, next_item[signal], size, number, padding))
        next_item[signal] += size
    return made


def numbers(body):
    """The numbers of the items in the bytes of a request."""
    return [int(n) for n in _MARK.findall(body)]


def items(signal, answered, outcomes=("OK", 200)):
    """The numbers of all items of a signal that were answered with one of `outcomes`."""
    return sorted(n for a in answered if a.request.signal == signal and a.outcome in outcomes
                  for n in range(a.request.first, a.request.first + a.request.count))


def misplaced(signal, bodies, sent):
    """Items that arrived under another resource than they were sent with, or under none."""
    found = []
    by_number = {r.number: r for r in sent}
    for body in bodies:
        for group in messages.request(signal).FromString(body).ListFields()[0][1]:
            owner = by_number[int(group.resource.attributes[0].value.string_value)]
            found += [n for n in numbers(group.SerializeToString())
                      if not owner.first <= n < owner.first + owner.count or
                      owner.signal != signal]
    return found


class Load:
    """Sends requests over kept connections in threads: `http` of them to port `http_port`, `grpc`
    to `grpc_port`. Each thread takes the next request, so no order is kept. What a connection that
    broke had under way is left out of the answers: its fate is not known."""

    def __init__(self, requests, http_port=None, http=4, grpc_port=None, grpc=2):
        self._lock = threading.Lock()
        self._answered = []
        self._unknown = []
        self._queue = queue.SimpleQueue()
        for one in requests:
            self._queue.put(one)
        self._stop = threading.Event()
        loops = [(self._http, http_port)] * (http if http_port else 0)
        loops += [(self._grpc, grpc_port)] * (grpc if grpc_port else 0)
        self._threads = [threading.Thread(target=loop, args=(port,), daemon=True)
                         for loop, port in loops]
        for thread in self._threads:
            thread.start()

    def _next(self):
        try:
            return None if self._stop.is_set() else self._queue.get_nowait()
        except queue.Empty:
            return None

    def _note(self, one, outcome):
        with self._lock:
            self._answered.append(Answered(one, outcome))

    def _http(self, port):
        while not self._stop.is_set() and self._http_connection(port):
            pass

    def _http_connection(self, port):
        """Sends until the server closes, as it may; True when there is more to send."""
        one = None
        try:
            with rawhttp.Connection(port) as connection:
                while one := self._next():
                    connection.send(rawhttp.encode("POST", messages.http_path(one.signal),
                                                   {"Content-Type": PROTO}, one.body))
                    answer = connection.receive()
                    self._note(one, answer.status)
                    if answer.headers.get("connection", "").lower() == "close":
                        return True
        except OSError:
            if one:
                with self._lock:
                    self._unknown.append(one)
        return False

    def _grpc(self, port):
        sender = rpc.Sender(port)
        while one := self._next():
            self._note(one, sender.export(one.signal, one.body).code)
        sender.close()

    @property
    def answered(self):
        """A list of Answered so far."""
        with self._lock:
            return list(self._answered)

    @property
    def unknown(self):
        """Requests without an answer."""
        with self._lock:
            return list(self._unknown)

    def stop(self):
        """Nothing more is sent after what is under way."""
        self._stop.set()

    def wait(self, seconds=60.0):
        """Waits until everything is sent and answered, or stop() took effect."""
        for thread in self._threads:
            thread.join(seconds)
            if thread.is_alive():
                raise TimeoutError(f"still sending after {seconds} s")
        return self.answered

    def close(self):
        self.stop()
        self.wait()
