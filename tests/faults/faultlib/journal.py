# SPDX-License-Identifier: Apache-2.0
"""Queues on disk: configurations with them, and the bytes of their files (docs/developer/journal.md)."""

import itertools
import re
import struct

FILE_HEADER = 64
RECORD_HEADER = 40
MARK = 16
SEGMENT_MAGIC, MARKS_MAGIC, RECORD_MAGIC = b"WEIRSEG\n", b"WEIRMRK\n", b"\xf5wr\x9e"
DATA, SEAL = 1, 2
SETTLED = 3
_RUN = re.compile(rb"weir\.run\x12.\n.([a-z0-9]+)", re.DOTALL)
_SEQ = re.compile(rb"weir\.seq\x12.\n\x0c([0-9a-f]{12})", re.DOTALL)


def _crc_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        yield value


_TABLE = list(_crc_table())


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def _checked(data):
    return data + struct.pack("<I", crc32c(data))


def file_header(magic, first, salt, version=1):
    return _checked(struct.pack("<8sI4xQI32x", magic, version, first, salt))


def record(sequence, salt, payload, items=1, kind=DATA):
    return _checked(struct.pack("<4sIQQIII", RECORD_MAGIC, salt, sequence, items, len(payload), crc32c(payload),
                                kind)) + payload


def segment_name(first):
    return f"{first:016x}.seg"


def segment(first, payloads, salt=0x5a17):
    """The bytes of a segment without a seal."""
    return file_header(SEGMENT_MAGIC, first, salt) + b"".join(
        record(first + i, salt, payload) for i, payload in enumerate(payloads))


def records(data):
    """The records of an undamaged segment: (offset, end, sequence, payload's offset)."""
    offset = FILE_HEADER
    while offset + RECORD_HEADER <= len(data) and data[offset:offset + 4] == RECORD_MAGIC:
        sequence, _, length, _, kind = struct.unpack_from("<QQIII", data, offset + 8)
        end = offset + RECORD_HEADER + length
        if kind & 0xff != DATA or end > len(data):
            return
        yield offset, end, sequence, offset + RECORD_HEADER
        offset = end


def settled(marks):
    """Indices in its segment of the records that undamaged marks settle."""
    found = set()
    for at in range(FILE_HEADER, len(marks) - MARK + 1, MARK):
        index, count = struct.unpack_from("<II", marks, at)
        if count >> 24 == SETTLED:
            found.update(range(index, index + (count & 0xffffff)))
    return found


def numbers(payload):
    """The numbers (weir.seq) of the items in a record."""
    return [int(digits, 16) for digits in _SEQ.findall(payload)]


def run_of(payload):
    """The run (weir.run) of the items in a record."""
    return _RUN.search(payload).group(1).decode()


def ranges_of(found):
    """Numbers as sorted, disjoint [first, end) pairs."""
    result = []
    for _, group in itertools.groupby(enumerate(sorted(set(found))), lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        result.append((run[0], run[-1] + 1))
    return result


RETRY = {"initial_interval": "50ms", "max_interval": "500ms", "max_elapsed_time": 0}


def on_disk(config, folder, max_size=None, fsync=None, ack="disk"):
    """The configuration (of Row.otlp_config) with its exporters' queues on disk, in `folder`."""
    storage = {"directory": str(folder), "create_directory": True}
    if max_size:
        storage["max_size"] = max_size
    if fsync is not None:
        storage["fsync"] = fsync
    config.setdefault("extensions", {})["file_storage"] = storage
    config["service"]["extensions"] = list(config["extensions"])
    for exporter in config["exporters"].values():
        exporter["sending_queue"] = {"storage": "file_storage", "queue_size": 1_000_000,
                                     **exporter.get("sending_queue", {})}
        exporter.setdefault("retry_on_failure", RETRY)
    for pipeline in config["service"]["pipelines"].values():
        pipeline["ack"] = ack
    return config
