# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy on loopback that delays, slows, swallows, resets, cuts or never stops sending."""

import asyncio
import socket
import struct
import threading
import time

CHUNK = 65536
_RST = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class Gate:
    """Listens on `port` of `host` (0: any), or on `sock`, and passes on to `target`, a port of 127.0.0.1.

    set(...) switches at run time, for old and new connections alike:

      delay=SECONDS       each piece, either way, is that late
      rate=BYTES          a second, each connection and direction; 0: no limit
      black_hole=True     takes everything, passes nothing on, either way
      refuse=True         resets every new connection as soon as it is there
      cut_after=BYTES     of an answer; then the connection is closed
      answer=BYTES        the target is not asked: this is the answer to whatever comes
      endless=BYTES       behind `answer`, or the first piece of an answer: this, for ever

    `accepted` are the monotonic times of all connections; `sent_endless` and `most_endless` say how much of
    that went out, on all connections and on one; reset() breaks those there are, down()
    also stops listening (connection refused), up() listens again on the same port."""

    def __init__(self, target, host="127.0.0.1", port=0, sock=None, **options):
        self.target = target
        self.host = host
        self._socket = sock
        self.accepted = []
        self.sent_endless = 0
        self.most_endless = 0
        self._options = {"delay": 0.0, "rate": 0, "black_hole": False, "refuse": False,
                         "cut_after": None, "answer": None, "endless": None}
        self._writers = set()
        self._tasks = set()
        self._server = None
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.set(**options)
        self.up()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def set(self, **options):
        unknown = set(options) - set(self._options)
        if unknown:
            raise TypeError(f"no such options: {unknown}")
        self._options.update(options)

    @property
    def connections(self):
        """How many connections of clients there are."""
        return len(self._tasks)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def up(self):
        self._run(self._up())

    async def _up(self):
        if self._server is None:
            where = {"sock": self._socket} if self._socket else {"host": self.host, "port": self.port}
            self._server = await asyncio.start_server(self._client, **where, reuse_address=True)
            self.host, self.port = self._server.sockets[0].getsockname()

    def down(self):
        self._run(self._down())

    async def _down(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    def reset(self):
        self._run(self._reset())

    async def _reset(self):
        for writer in list(self._writers):
            _reset(writer)

    def close(self):
        if self._loop.is_closed():
            return
        self._run(self._down())
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self):
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader, writer):
        self.accepted.append(time.monotonic())
        task = asyncio.current_task()
        self._tasks.add(task)
        self._writers.add(writer)
        back = None
        try:
            if self._options["refuse"]:
                _reset(writer)
                return
            answer = self._options["answer"]
            if answer is not None:
                await self._answer(reader, writer, answer)
                return
            target, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(back)
            await asyncio.gather(self._pass(reader, back, False), self._pass(target, writer, True))
        except (OSError, asyncio.CancelledError):
            _reset(writer)
        finally:
            self._tasks.discard(task)
            for one in (writer, back):
                if one is not None:
                    self._writers.discard(one)
                    one.close()

    async def _answer(self, reader, writer, answer):
        await reader.read(CHUNK)
        writer.write(answer)
        await writer.drain()
        await self._endless(writer)
        # What still comes is read, so that the close is no reset.
        while self._options["answer"] is not None and await reader.read(CHUNK):
            pass

    async def _endless(self, writer):
        sent = 0
        while data := self._options["endless"]:
            writer.write(data)
            await writer.drain()
            sent += len(data)
            self.sent_endless += len(data)
            self.most_endless = max(self.most_endless, sent)

    async def _pass(self, reader, writer, answers):
        passed = 0
        while True:
            data = await reader.read(CHUNK)
            if not data:
                break
            while self._options["black_hole"]:
                await asyncio.sleep(0.02)
                data = b""
            if self._options["delay"]:
                await asyncio.sleep(self._options["delay"])
            if self._options["rate"]:
                await asyncio.sleep(len(data) / self._options["rate"])
            cut = self._options["cut_after"] if answers else None
            if cut is not None and passed + len(data) >= cut:
                writer.write(data[:max(0, cut - passed)])
                await writer.drain()
                raise ConnectionResetError("cut")
            passed += len(data)
            writer.write(data)
            await writer.drain()
            if answers:
                await self._endless(writer)
        if writer.can_write_eof():
            writer.write_eof()


def _reset(writer):
    """Closes with RST."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        except OSError:
            pass
    writer.transport.abort()
