# SPDX-License-Identifier: Apache-2.0
"""Many connections that were used once and are kept."""
import resource
import socket

ALLOWED = {'http': (8, 4), 'grpc': (20, 8)}  # KiB each: allowed, aimed at
PREFACE = b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + b'\0\0\0\4\0\0\0\0\0' + b'\0\0\0\4\1\0\0\0\0'  # SETTINGS, and its ACK
REQUEST = {'http': b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'grpc': PREFACE}


class Idle:
    def __init__(self, protocol, port, count):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.sockets = []
        for _ in range(count):
            client = socket.create_connection(('127.0.0.1', port), timeout=20)
            self.sockets.append(client)
            client.sendall(REQUEST[protocol])
            if not client.recv(4096):
                raise ConnectionError('a connection was closed')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()
