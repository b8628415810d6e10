# SPDX-License-Identifier: Apache-2.0
"""I4 to I6: request bodies made to exhaust memory, stack or patience, at every door of the otlp receiver."""

import os
import struct
import time
import unittest.mock
import zlib

from faultlib import Row, sample
from weirtest import codecs, paths, rawhttp
from weirtest.messages import http_path, method
from weirtest.requests import JSON, PROTO, field, grpc_frame, nested_value

MIB = 1 << 20
STACK = 256 << 10


class Bodies(Row):
    """One weir that real load passes through while hostile bodies come; its threads have little stack."""

    http_limit = 20 * MIB
    grpc_limit_mib = 4

    def start(self, exporter="otlp_grpc", load=True):
        self.oracle_ = self.oracle()
        self.http, self.grpc = self.free_port(), self.free_port()
        config = self.otlp_config(
            self.oracle_.grpc, grpc=self.grpc, http=self.http, receiver={
                "http": {"max_request_body_size": self.http_limit},
                "grpc": {"max_recv_msg_size_mib": self.grpc_limit_mib}})
        # Without queue an answer comes when the exporter has done all it has to do.
        config["exporters"]["otlp_grpc"]["sending_queue"] = {"enabled": False}
        if exporter == "otlp_http":
            config["exporters"] = {"otlp_http": {"endpoint": f"http://{self.oracle_.http}",
                                                 "sending_queue": {"enabled": False},
                                                 "encoding": "json", "compression": "none"}}
            for pipeline in config["service"]["pipelines"].values():
                pipeline["exporters"] = ["otlp_http"]
        self.weir_ = self.weir(config, args=["--workers", "2"])
        self.load = None
        self.strangers = 0  # items of this row's own bodies that were accepted
        if load:
            self.load = self.generator(f"127.0.0.1:{self.grpc}", "-r", 500, "-i", 20, "-s",
                                       "traces,metrics,logs")
            self.load.wait_acknowledged(200)
        for _ in range(3):
            self.assertEqual(self.post(b""), 200)
        self.rss = sample.rss_mib(self.weir_.pid)
        sample.reset_peak(self.weir_.pid)

    def little_stack(self):
        """Threads get as much as the limit says, so a deeper stack ends weir by a signal."""
        script = self.folder / "weir-with-little-stack"
        if script.exists():
            return
        script.write_text(f'#!/bin/sh\nexec prlimit --stack={STACK} -- "{paths.weir_bin()}" "$@"\n')
        script.chmod(0o755)
        patched = unittest.mock.patch.dict(os.environ, WEIR=str(script))
        patched.start()
        self.addCleanup(patched.stop)

    def post(self, body, content_type=PROTO, signal="traces", **headers):
        """The status of one HTTP request; None when the connection was closed without an answer."""
        try:
            return rawhttp.post(self.http, http_path(signal), body, content_type, **headers).status
        except OSError:
            return None

    def call(self, body, encoding=None, signal="traces"):
        """The grpc-status of one call."""
        headers = [("content-type", "application/grpc"), ("te", "trailers"), (":method", "POST")]
        if encoding:
            headers.append(("grpc-encoding", encoding))
        answer = rawhttp.nghttp(f"http://127.0.0.1:{self.grpc}{method(signal)}", headers,
                                grpc_frame(body, 1 if encoding else 0))
        return int(answer.headers.get("grpc-status", -1))

    def growth(self):
        """MiB that the largest resident size is over that of the beginning."""
        return sample.peak_mib(self.weir_.pid) - self.rss

    def assert_growth(self, most_mib, what):
        grown = self.growth()
        if not self.weir_.sanitized():
            self.assertLessEqual(grown, most_mib, f"{what}: RSS grew by {grown:.1f} MiB")
        return grown

    def finish(self):
        """The universal rules, for the load that went on all the time."""
        if not self.load:
            self.send_fresh(f"127.0.0.1:{self.grpc}", [self.oracle_])
            self.assert_ledger_closes(self.weir_)
            return
        self.judge(self.weir_, [self.load], [self.oracle_], endpoint=f"127.0.0.1:{self.grpc}",
                   strangers=self.strangers)


# --- bombs ---

def deflated(packed, plain, wbits):
    """A stream of about `packed` bytes that inflates to `plain` zeros or more."""
    maker = zlib.compressobj(9, zlib.DEFLATED, wbits)
    block = bytes(MIB)
    head = maker.compress(block) + maker.flush(zlib.Z_FULL_FLUSH)
    # Behind a full flush the same input gives the same bytes, at a byte's border.
    again = maker.compress(block) + maker.flush(zlib.Z_FULL_FLUSH)
    tail = maker.flush()
    return head + again * min(plain // MIB, packed // len(again)) + tail


def snappy_framed_bomb(packed):
    """Chunks of 64 KiB of zeros."""
    chunk = codecs.snappy_block_of_zeros(65536)
    crc = struct.pack("<I", codecs._masked_crc32c(bytes(65536)))
    piece = struct.pack("<I", (len(chunk) + 4) << 8) + crc + chunk
    return b"\xff\x06\x00\x00sNaPpY" + piece * (packed // len(piece))


def lz4_bomb(packed):
    """Blocks of 4 MiB that are one literal and one match."""
    descriptor = b"\x60\x70"
    head = struct.pack("<I", 0x184D2204) + descriptor
    head += bytes([codecs._xxh32_short(descriptor) >> 8 & 0xFF])
    length = (4 * MIB - 1 - 4 - 15 - 12) // 255
    block = b"\x1f\0\1\0" + b"\xff" * length + b"\0" + b"\x50" + bytes(5)
    piece = struct.pack("<I", len(block)) + block
    return head + piece * (packed // len(piece)) + struct.pack("<I", 0)


def zstd_bomb(plain):
    """Run-length blocks behind a header that states a small window and no size."""
    block = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b"\0"
    return struct.pack("<IBB", 0xFD2FB528, 0, 0x50) + block * (plain >> 17) + b"\3\0\0" + b"\0"


class Bombs(Bodies):
    id = "I4"
    title = "gzip, zlib, zstd, snappy and lz4 bombs, nested and truncated, at each protocol"
    budget = 20.0
    broken_by = ("a cap on inflated bytes four times as large: RSS grew by 75 MiB over gRPC, by 102 MiB over "
                 "HTTP")
    grpc_limit_mib = 16
    # What may come on top of a bomb's own bytes and the cap: what each of two workers keeps of its last large body,
    # and the load that goes on.
    KEPT = 2 * 8 + 14

    def bombs(self, packed):
        """name: bytes; at most `packed` of them, up to 10 GiB when inflated."""
        ten_gib = 10 << 30
        return {
            "gzip": deflated(packed, ten_gib, 31), "zlib": deflated(packed, ten_gib, 15),
            "deflate": deflated(packed, ten_gib, 15), "zstd": zstd_bomb(ten_gib),
            "snappy": codecs.snappy_block_of_zeros(packed * 21),
            "x-snappy-framed": snappy_framed_bomb(packed), "lz4": lz4_bomb(packed)}

    def test_http(self):
        self.start()
        for name, bomb in self.bombs(10 * MIB).items():
            for content_type in (PROTO, JSON):
                with self.subTest(f"{name} {content_type}"):
                    self.assertIn(self.post(bomb, content_type, Content_Encoding=name), (400, 413))
        self.assertIn(self.post(codecs.zstd_bomb(10 << 30), Content_Encoding="zstd"), (400, 413))
        grown = self.assert_growth(self.http_limit / MIB + 10 + self.KEPT, "bombs over HTTP")
        self.figure(f"HTTP: 7 bombs of 10 MiB, RSS +{grown:.0f} MiB")
        self.finish()

    def test_grpc(self):
        self.start()
        bombs = self.bombs(3 * MIB)
        for name, bomb in (("gzip", bombs["gzip"]), ("zstd", bombs["zstd"]),
                           ("snappy", bombs["x-snappy-framed"])):
            with self.subTest(name):
                self.assertEqual(self.call(bomb, name), 8)
        self.assertIn(self.call(codecs.zstd_bomb(10 << 30), "zstd"), (8, 13))
        grown = self.assert_growth(self.grpc_limit_mib + 3 + self.KEPT, "bombs over gRPC")
        self.figure(f"gRPC: 3 of 3 MiB, RSS +{grown:.0f} MiB")
        self.finish()

    def test_nested_truncated_lying(self):
        self.start()
        inner = deflated(4 * MIB, 4 << 30, 31)
        nested = codecs.gzip(inner)
        refused = (400, 413, 415)
        self.assertIn(self.post(nested, Content_Encoding="gzip"), refused)
        self.assertIn(self.post(nested, Content_Encoding="gzip, gzip"), refused)
        plain = field(1, bytes(200_000))
        for name, encode in codecs.HTTP.items():
            whole = encode(plain)
            for size in (1, len(whole) // 2, len(whole) - 1):
                with self.subTest(f"{name} {size} of {len(whole)}"):
                    self.assertIn(self.post(whole[:size], Content_Encoding=name), refused)
        # Lengths that are not true: 4 GiB announced in a few bytes.
        for name, body in (("snappy", b"\xff\xff\xff\xff\x0f\0\0"),
                           ("zstd", struct.pack("<IBQ", 0xFD2FB528, 0xE0, 1 << 62) + b"\3\0\0"),
                           ("gzip", codecs.gzip(plain)[:-4] + b"\xff\xff\xff\xff")):
            with self.subTest(f"{name} lies"):
                self.assertIn(self.post(body, Content_Encoding=name), refused)
        for name, encode in codecs.GRPC.items():
            with self.subTest(f"{name} truncated over gRPC"):
                self.assertNotIn(self.call(encode(plain)[:-7], name), (0, -1))
        self.assert_growth(self.http_limit / MIB + 4 + self.KEPT, "nested and truncated")
        self.finish()


# --- protobuf ---

def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def in_span(body):
    return field(1, field(2, field(2, body)))


def in_histogram_point(body):
    return field(1, field(2, field(2, field(1, b"m") + field(9, field(1, body)))))


class Protobuf(Bodies):
    id = "I5"
    title = "protobuf: 100 k nested AnyValues, lengths that overflow, 16 M empty messages, repeated scalars"
    budget = 20.0
    broken_by = "a validator without its cap on nested values: 1000 of them were accepted"
    http_limit = 48 * MIB
    grpc_limit_mib = 48

    def test_nested(self):
        self.little_stack()
        self.start()
        for depth in (1000, 100_000):
            body = nested_value(depth)
            self.assertEqual(self.post(body), 400)
            self.assertNotIn(self.call(body), (0, -1))
        groups = in_span(b"\x0b" * 100_000)  # start of a group, deprecated, never ended
        self.assertEqual(self.post(groups), 400)
        self.finish()

    def test_lengths(self):
        self.start()
        for length in (1, 127, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1,
                       1 << 63, (1 << 64) - 1, (1 << 64) + 5, (1 << 70) - 1):
            for make in (lambda b: b, lambda b: field(1, b), in_span):
                body = make(b"\x0a" + varint(length))
                with self.subTest(f"{length} in {len(body)}"):
                    self.assertEqual(self.post(body), 400)
                    self.assertNotIn(self.call(body), (0, -1))
        self.assert_growth(4, "lengths")
        self.finish()

    def amplification(self, bodies, exporter, most):
        self.little_stack()
        self.start(exporter, load=False)
        self.oracle_.change(fail_rate=1, fail_code="InvalidArgument", fail_status=400)
        for name, signal, body in bodies:
            with self.subTest(f"{name} of {len(body) / MIB:.1f} MiB"):
                sample.reset_peak(self.weir_.pid)
                begun = time.monotonic()
                status = self.post(body, signal=signal)
                seconds = time.monotonic() - begun
                self.assertIn(status, (200, 400, 503))
                grown = self.assert_growth(most * len(body) / MIB + 8, name)
                self.worst = max(self.worst, grown * MIB / len(body))
                self.slowest = max(self.slowest, seconds)
        self.oracle_.change(fail_rate=0)
        self.finish()

    def test_blow_up(self):
        self.worst = self.slowest = 0.0
        million = 1_000_000
        passed_on = [
            ("16 M empty ResourceSpans", "traces", b"\x0a\0" * (16 * million)),
            ("16 M empty attributes", "traces", in_span(b"\x4a\0" * (16 * million))),
            ("16 M empty metrics", "metrics", field(1, field(2, b"\x12\0" * (16 * million)))),
        ]
        self.amplification(passed_on, "otlp_grpc", 5)
        self.figure(f"passed on: {self.worst:.1f} times, {self.slowest:.1f} s")
        self.worst = self.slowest = 0.0
        decoded = [
            ("empty ResourceSpans", "traces", b"\x0a\0" * million),
            ("empty spans", "traces", field(1, field(2, b"\x12\0" * million))),
            ("empty attributes", "traces", in_span(b"\x4a\0" * million)),
            ("empty events", "traces", in_span(b"\x5a\0" * million)),
            ("empty links", "traces", in_span(b"\x6a\0" * million)),
            ("empty values", "traces", in_span(field(9, field(1, b"k") + field(2, field(
                5, b"\x0a\0" * million))))),
            ("empty logs", "logs", field(1, field(2, b"\x12\0" * million))),
            ("empty points", "metrics", field(1, field(2, field(2, field(1, b"m") + field(
                5, b"\x0a\0" * million))))),
            ("bucket counts", "metrics", in_histogram_point(field(6, bytes(8 * million)))),
            ("bounds, one by one", "metrics", in_histogram_point((b"\x39" + bytes(8)) * (million // 4))),
            ("a name a million times", "traces", in_span(b"\x2a\1n" * million)),
        ]
        self.amplification(decoded, "otlp_http", 100)
        self.figure(f"decoded and written as JSON: {self.worst:.0f} times, {self.slowest:.1f} s")


# --- JSON ---

def json_span(text):
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[{' + text + b"}]}]}]}"


class Json(Bodies):
    id = "I6"
    title = "JSON: a million deep, a string of 100 MB, duplicate keys, bad UTF-8, bad numbers"
    budget = 20.0
    broken_by = ("a JSON reader without its cap on depth: weir ended "
                 "with \"stack smashing detected\" at a million arrays")
    http_limit = 128 * MIB

    def perhaps(self, body):
        """One item that may be taken or refused."""
        status = self.post(body, JSON)
        self.assertIn(status, (200, 400, 503), body[:80])
        self.strangers += status == 200

    def refused(self, *bodies):
        for body in bodies:
            with self.subTest(body[:80]):
                self.assertEqual(self.post(body, JSON), 400)

    def test_depth(self):
        self.little_stack()
        self.start()
        deep = 1_000_000
        value = b'{"arrayValue":{"values":[' * (deep // 2)
        self.refused(b"[" * deep, b'{"resourceSpans":' + b"[" * deep, b'{"x":' + b"[" * deep + b"]" * deep + b"}",
                     b'{"x":' + b'{"a":' * deep, json_span(b'"attributes":[{"key":"k","value":' + value))
        grown = self.assert_growth(5 * 12 * 1.1, "depth")
        self.figure(f"a million deep: RSS +{grown:.0f} MiB")
        self.finish()

    def test_large(self):
        self.start()
        text = b"x" * 100_000_000
        begun = time.monotonic()
        for body in (json_span(b'"name":"' + text + b'"'), json_span(b'"unknown":"' + text + b'"'),
                     json_span(b'"name":"' + text)):
            self.perhaps(body)
        seconds = time.monotonic() - begun
        self.assertEqual(self.post(b'{"x":"' + b"\\u0041" * 5_000_000 + b'"}', JSON), 200)
        grown = self.assert_growth(8 * len(text) / MIB, "a string of 100 MB")
        self.figure(f"100 MB string: RSS +{grown:.0f} MiB, {seconds:.1f} s for three")
        many = b",".join([b'"name":"n"'] * 1_000_000)
        self.perhaps(json_span(many))
        many = b",".join([b'"attributes":[]'] * 1_000_000)
        self.perhaps(json_span(many))
        self.perhaps(json_span(b'"attributes":[' + b",".join([b"{}"] * 4_000_000) + b"]"))
        self.assert_growth(8 * len(text) / MIB, "duplicate keys, empty attributes")
        self.finish()

    def test_bad_text_and_numbers(self):
        self.start()
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x00", b"\x1f",
                    b"\\x41", b"\\u12g4", b"\\"):
            self.refused(json_span(b'"name":"' + bad + b'"'), json_span(b'"' + bad + b'":1'),
                         b'{"x":"' + bad + b'"}')
        # As upstream's: half a pair becomes U+FFFD.
        self.assertEqual(self.post(b'{"x":"\\ud800 \\udc00\\ud800"}', JSON), 200)
        for bad in (b"NaN", b"Infinity", b"-", b"+1", b"01", b"1.", b".5", b"1e", b"0x10", b"1e+", b"--1",
                    b"1_000", b"1" * 400, b"-1", b"1.5", b"1e3", b"18446744073709551616", b'"abc"', b'""', b"{}",
                    b'"1e400"', b"1e999999999"):
            self.refused(json_span(b'"startTimeUnixNano":' + bad))
        for bad in (b"1e999", b'"1e999"', b"1" * 400, b"0." + b"0" * 400_000 + b"1", b'"NaN"', b"-1e-999"):
            self.perhaps(json_span(b'"attributes":[{"key":"k","value":{"doubleValue":' + bad + b"}}]"))
        self.refused(b"", b"{", b"nul", b"[1,]", b'{"a":1,}', b'{"a" 1}', b"{}{}", b"{} x", b"\xef\xbb\xbf{",
                     b"'a'", b'{"resourceSpans":1}')
        self.assert_growth(8, "bad text and numbers")
        self.finish()
