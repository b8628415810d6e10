# SPDX-License-Identifier: Apache-2.0
"""Trace requests for tests of answers: normal ones, large ones, nested ones, and what weir says."""

import json
import random

from . import messages

PROTO, JSON = "application/x-protobuf", "application/json"
# The bodies of upstream's answer to an accepted request: an empty partial_success.
OK_PROTO, OK_JSON = b"\x0a\x00", b'{"partialSuccess":{}}'


def json_request(count=1):
    """A trace request as OTLP/JSON."""
    spans = [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": f"{i + 1:016x}",
              "name": "json", "kind": 1, "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
             for i in range(count)]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def request(count=1):
    return messages.simple("traces", count).SerializeToString()


def noise(length):
    """A request of `length` bytes that does not compress."""
    message = messages.simple("traces")
    span = message.resource_spans[0].scope_spans[0].spans[0]
    value = span.attributes.add(key="noise").value
    value.bytes_value = b"\0" * length
    value.bytes_value = random.Random(1).randbytes(2 * length - message.ByteSize())
    while message.ByteSize() != length:
        value.bytes_value = value.bytes_value[:length - message.ByteSize()]
    return message.SerializeToString()


def _head(number, length):
    """What stands before a length-delimited field's bytes."""
    out = bytearray([number << 3 | 2])
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)


def field(number, body):
    """A length-delimited field."""
    return _head(number, len(body)) + body


def nested_value(depth):
    """A trace request with an AnyValue of `depth` arrays in each other."""
    innermost = b"\x10\x01"
    heads, length = [], len(innermost)
    for _ in range(depth):
        for number in (1, 5):
            heads.append(_head(number, length))
            length += len(heads[-1])
    value = b"".join(reversed(heads)) + innermost
    pair = field(1, b"k") + field(2, value)
    span = field(1, b"\1" * 16) + field(2, b"\2" * 8) + field(9, pair)
    return field(1, field(2, field(2, span)))


def status(body):
    """google.rpc.Status as (code, message), read by hand: fields 1 and 2."""
    code, message, position = 0, "", 0
    while position < len(body):
        tag = body[position]
        if tag == 0x08:
            code, position = body[position + 1], position + 2
        else:
            length, shift, position = 0, 0, position + 1
            while True:
                byte = body[position]
                length |= (byte & 0x7F) << shift
                shift, position = shift + 7, position + 1
                if byte < 0x80:
                    break
            if tag == 0x12:
                message = body[position:position + length].decode()
            position += length
    return code, message


def grpc_frame(data, compressed=0):
    return bytes([compressed]) + len(data).to_bytes(4, "big") + data
