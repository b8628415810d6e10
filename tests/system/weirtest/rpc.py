# SPDX-License-Identifier: Apache-2.0
"""A gRPC client and a gRPC server on Python's grpcio. They carry raw bytes: no generated stubs."""

import collections
import os
import pathlib
import threading
from concurrent import futures

# Tests start processes while channels are open; grpcio's handlers for forks can wait for ever.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
import grpc  # noqa: E402: reads the variable

from . import messages
from .wait import wait_for

CALL_SECONDS = 30.0

_COMPRESSION = {
    "none": grpc.Compression.NoCompression,
    "gzip": grpc.Compression.Gzip,
    "deflate": grpc.Compression.Deflate,
}

Answer = collections.namedtuple("Answer", "code details body trailers")
Received = collections.namedtuple("Received", "signal body metadata")


def _raw(data):
    return data


class Sender:
    """Calls Export of the OTLP services at `target` ("127.0.0.1:4317" or "unix:///path")."""

    def __init__(self, target, compression="none"):
        if isinstance(target, int):
            target = f"127.0.0.1:{target}"
        self._channel = grpc.insecure_channel(
            target, compression=_COMPRESSION[compression],
            options=[("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0),
                     ("grpc.max_receive_message_length", -1),
                     ("grpc.use_local_subchannel_pool", 1)])

    def call(self, path, data, metadata=(), seconds=CALL_SECONDS):
        """Sends the bytes `data` and returns an Answer; a refusal is an Answer too."""
        stub = self._channel.unary_unary(path, request_serializer=_raw, response_deserializer=_raw)
        try:
            body, call = stub.with_call(data, timeout=seconds, metadata=metadata)
            return Answer("OK", call.details() or "", body, dict(call.trailing_metadata() or ()))
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details(), None,
                          dict(error.trailing_metadata() or ()))

    def export(self, signal, message, **options):
        """Sends a message, or the bytes of one, to a signal's Export."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        return self.call(messages.method(signal), data, **options)

    def begin(self, signal, body):
        """Sends the bytes to a signal's Export, and returns grpcio's call without waiting for it."""
        stub = self._channel.unary_unary(messages.method(signal), request_serializer=_raw, response_deserializer=_raw)
        return stub.future(body, timeout=CALL_SECONDS)

    def close(self):
        self._channel.close()


class Sink(grpc.GenericRpcHandler):
    """An OTLP server that keeps every request. `answer(signal, number)` may return a pair
    (code name, details) for a refusal, or None to accept. `tls` is a pair of files, certificate and key."""

    def __init__(self, answer=None, workers=4, port=0, host="127.0.0.1", tls=None):
        self._answer = answer
        self._signals = {messages.method(s): s for s in messages.SIGNALS}
        self._lock = threading.Lock()
        self._received = []
        self._refused = []
        self._number = 0
        self._server = grpc.server(
            futures.ThreadPoolExecutor(workers),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        address = f"{host}:{port}"
        if tls:
            certificate, key = (pathlib.Path(file).read_bytes() for file in tls)
            credentials = grpc.ssl_server_credentials([(key, certificate)])
            self.port = self._server.add_secure_port(address, credentials)
        else:
            self.port = self._server.add_insecure_port(address)
        self._server.start()

    def service(self, details):
        signal = self._signals.get(details.method)
        if signal is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda body, context: self._export(signal, body, context), _raw, _raw)

    def _export(self, signal, body, context):
        with self._lock:
            self._number += 1
            number = self._number
        refusal = self._answer(signal, number) if self._answer else None
        if refusal:
            with self._lock:
                self._refused.append(Received(signal, body, dict(context.invocation_metadata())))
            context.abort(grpc.StatusCode[refusal[0]], refusal[1])
        with self._lock:
            self._received.append(Received(signal, body, dict(context.invocation_metadata())))
        return b""

    @property
    def requests(self):
        """How many requests came, refused ones included."""
        with self._lock:
            return self._number

    @property
    def received(self):
        """The accepted requests, as Received(signal, body, metadata)."""
        with self._lock:
            return list(self._received)

    @property
    def refused(self):
        """The refused requests."""
        with self._lock:
            return list(self._refused)

    def parsed(self, signal):
        """The accepted requests of a signal as messages."""
        return [messages.request(signal).FromString(r.body)
                for r in self.received if r.signal == signal]

    def count(self, signal):
        """How many items of a signal were accepted."""
        return sum(messages.count_items(signal, m) for m in self.parsed(signal))

    def wait_count(self, signal, count, seconds=10.0):
        wait_for(lambda: self.count(signal) >= count, seconds,
                 lambda: f"{self.count(signal)} of {count} {signal} arrived")

    def close(self):
        self._server.stop(None).wait(5)
