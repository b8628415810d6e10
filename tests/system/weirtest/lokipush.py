# SPDX-License-Identifier: Apache-2.0
"""A sink of Loki's push API (snappy protobuf), decoded here by the formats' own rules."""

from . import rawhttp


def _varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def unsnappy(data):
    """A block of snappy's format."""
    size, at = _varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag, kind = data[at] >> 2, data[at] & 3
        at += 1
        if kind == 0:
            more = max(0, tag - 59)  # bytes of a length that does not fit the tag
            length = (int.from_bytes(data[at:at + more], "little") if more else tag) + 1
            out += data[at + more:at + more + length]
            at += more + length
            continue
        length = (tag & 7) + 4 if kind == 1 else tag + 1
        more = {1: 1, 2: 2, 3: 4}[kind]
        offset = int.from_bytes(data[at:at + more], "little") | ((tag >> 3) << 8 if kind == 1 else 0)
        at += more
        if not 0 < offset <= len(out):
            raise ValueError("a copy of what is not there")
        for _ in range(length):
            out.append(out[-offset])
    if len(out) != size:
        raise ValueError(f"{len(out)} bytes, {size} were announced")
    return bytes(out)


def _fields(data):
    """[(number, value)] of a protobuf message of integers and texts."""
    at, out = 0, []
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        elif key & 7 != 0:
            raise ValueError(f"field {key >> 3} of wire type {key & 7}")
        out.append((key >> 3, value))
    return out


def pushed(body):
    """[(labels, [(nanoseconds, line)])] of a push request."""
    streams = []
    for _, stream in _fields(unsnappy(body)):
        parts = _fields(stream)
        entries = []
        for entry in (dict(_fields(value)) for number, value in parts if number == 2):
            when = dict(_fields(entry[1]))
            entries.append((when.get(1, 0) * 10**9 + when.get(2, 0), entry.get(2, b"").decode()))
        streams.append((dict(parts)[1].decode(), entries))
    return streams


class Loki(rawhttp.Sink):
    """Takes everything that is pushed to it."""

    def __init__(self, **where):
        super().__init__(answer=lambda _: (204, {}, b""), **where)

    def streams(self):
        """{labels: [(nanoseconds, line), ...]} in the order in which it came."""
        out = {}
        for request in self.received:
            kind = (request.path, request.headers.get("content-type"))
            if kind != ("/loki/api/v1/push", "application/x-protobuf"):
                raise ValueError(f"{kind} is no push")
            for labels, entries in pushed(request.body):
                out.setdefault(labels, []).extend(entries)
        return out
