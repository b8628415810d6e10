# SPDX-License-Identifier: Apache-2.0
"""Encoders for what Python's standard library does not compress: zstd, snappy, lz4.

They write valid streams by hand, mostly of stored blocks: enough to see that a decoder knows the
format. Real compression comes from gzip and zlib.
"""

import gzip as _gzip
import struct
import zlib


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC32C = _crc32c_table()


def _masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _chunks(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)]


def gzip(data):
    return _gzip.compress(data, mtime=0)


def zlib_format(data):
    return zlib.compress(data)


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def snappy_block(data):
    """Literals only, of at most 65536 bytes each."""
    out = _varint(len(data))
    for chunk in _chunks(data, 65536):
        out += bytes([61 << 2]) + struct.pack("<H", len(chunk) - 1) + chunk
    return out


def snappy_block_of_zeros(length):
    """One literal zero, then copies of it: a small block that inflates to `length` bytes."""
    out = _varint(length) + b"\x00\x00"
    left = length - 1
    whole, rest = divmod(left, 64)
    out += bytes([(63 << 2) | 2, 1, 0]) * whole
    if rest:
        out += bytes([((rest - 1) << 2) | 2, 1, 0])
    return out


def snappy_framed(data):
    """One compressed chunk first, stored chunks after it."""
    out = b"\xff\x06\x00\x00sNaPpY"
    for i, chunk in enumerate(_chunks(data, 65000)):
        crc = struct.pack("<I", _masked_crc32c(chunk))
        body = crc + (snappy_block(chunk) if i == 0 else chunk)
        out += struct.pack("<I", (0 if i == 0 else 1) | len(body) << 8) + body
    return out


def zstd(data):
    """A frame of raw blocks that states its content size."""
    out = struct.pack("<IBQ", 0xFD2FB528, 0xE0, len(data))
    blocks = _chunks(data, 100000) or [b""]
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        out += struct.pack("<I", last | len(block) << 3)[:3] + block
    return out


def zstd_bomb(length):
    """A frame of run-length blocks that inflates to `length` zeros."""
    out = struct.pack("<IBQ", 0xFD2FB528, 0xE0, length)
    while True:
        size = min(length, 128 << 10)
        length -= size
        out += struct.pack("<I", (length == 0) | 1 << 1 | size << 3)[:3] + b"\0"
        if length == 0:
            return out


def _rotate(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF


def _xxh32_short(data):
    """xxHash32 with seed 0 of fewer than 4 bytes."""
    hashed = (374761393 + len(data)) & 0xFFFFFFFF
    for byte in data:
        hashed = _rotate((hashed + byte * 374761393) & 0xFFFFFFFF, 11) * 2654435761 & 0xFFFFFFFF
    hashed = (hashed ^ hashed >> 15) * 2246822519 & 0xFFFFFFFF
    hashed = (hashed ^ hashed >> 13) * 3266489917 & 0xFFFFFFFF
    return hashed ^ hashed >> 16


def lz4(data):
    """A frame of stored, independent blocks of at most 64 KiB."""
    descriptor = b"\x60\x40"
    out = struct.pack("<I", 0x184D2204) + descriptor
    out += bytes([_xxh32_short(descriptor) >> 8 & 0xFF])
    for block in _chunks(data, 65536):
        out += struct.pack("<I", len(block) | 0x80000000) + block
    return out + struct.pack("<I", 0)


# HTTP Content-Encodings that upstream's OTLP receiver accepts.
HTTP = {
    "gzip": gzip,
    "zstd": zstd,
    "zlib": zlib_format,
    "deflate": zlib_format,
    "snappy": snappy_block,
    "x-snappy-framed": snappy_framed,
    "lz4": lz4,
}

# grpc-encodings that upstream's OTLP receiver accepts.
GRPC = {
    "gzip": gzip,
    "snappy": snappy_framed,
    "zstd": zstd,
}
