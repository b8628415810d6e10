# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 as bytes: frames and header blocks that no library would make (RFC 9113, RFC 7541)."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
PADDED = 8
ENHANCE_YOUR_CALM = 11
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", {"window": 4}[name], value)
                                          for name, value in values.items()))


def integer(value, bits, first=0):
    """RFC 7541, 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def literal(name, value, indexed=False):
    """A field with its name; `indexed`: it goes into the dynamic table."""
    name, value = name.encode(), value.encode()
    return (bytes([0x40 if indexed else 0]) + integer(len(name), 7) + name + integer(len(value), 7) + value)


def request(path, **fields):
    """The header block of a POST, without the dynamic table."""
    block = b"\x83\x86" + literal(":path", path) + literal(":authority", "x")
    for name, value in fields.items():
        block += literal(name.replace("_", "-"), value)
    return block


def grpc_request(service="opentelemetry.proto.collector.trace.v1.TraceService/Export", **fields):
    return request(f"/{service}", te="trailers", content_type="application/grpc", **fields)


def grpc_message(message=b""):
    return struct.pack(">BI", 0, len(message)) + message


def parse(buffer):
    """([(type, flags, stream, payload), ...], rest)."""
    frames, at = [], 0
    while len(buffer) - at >= 9:
        length = int.from_bytes(buffer[at:at + 3], "big")
        if len(buffer) - at < 9 + length:
            break
        kind, flags, stream = struct.unpack(">BBI", buffer[at + 3:at + 9])
        frames.append((kind, flags, stream, bytes(buffer[at + 9:at + 9 + length])))
        at += 9 + length
    return frames, buffer[at:]
