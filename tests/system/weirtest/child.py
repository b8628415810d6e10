# SPDX-License-Identifier: Apache-2.0
"""A child process whose output is read all the time and that cannot outlive the test."""

import ctypes
import io
import os
import select
import signal
import subprocess
import threading
import time

from .wait import patient

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """Starts `argv`; stdout and stderr are collected line by line and can be waited for. What the child has
    written by the time that somebody looks is seen, however busy the machine."""

    def __init__(self, argv, name=None, **options):
        self.name = name or str(argv[0])
        self.process = subprocess.Popen(
            [str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_die_with_parent, **{"stdin": subprocess.DEVNULL, **options})
        self._changed = threading.Condition()
        self._lines = {"stdout": [], "stderr": []}
        self._rest = {"stdout": b"", "stderr": b""}  # of a line that is not whole; None: all is read
        self._readers = [self._read(stream) for stream in ("stdout", "stderr")]

    @property
    def pid(self):
        return self.process.pid

    @property
    def stdout(self):
        """The text of stdout so far."""
        return self._text("stdout")

    @property
    def stderr(self):
        """The text of stderr so far."""
        return self._text("stderr")

    def _text(self, stream):
        with self._changed:
            self._drain(stream)
            return "".join(self._lines[stream])

    def running(self):
        return self.process.poll() is None

    def wait_line(self, text, seconds=10.0, stream="stderr"):
        """Waits for a line with `text` in it and returns the line.

        Raises TimeoutError, or RuntimeError as soon as the child has ended without that line."""
        seconds = patient(seconds)
        deadline = time.monotonic() + seconds
        seen = 0
        with self._changed:
            while True:
                lines = self._lines[stream]
                for line in lines[seen:]:
                    if text in line:
                        return line
                seen = len(lines)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(
                        f"{self.name}: no {text!r} within {seconds} s:\n{self.tail()}")
                if not self.running() and not self._readers[1].is_alive():
                    raise RuntimeError(
                        f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
                self._changed.wait(min(left, 0.1))

    def tail(self, lines=40):
        """The last lines of both outputs, for error messages."""
        text = self._lines["stdout"][-lines:] + self._lines["stderr"][-lines:]
        return "".join(text)

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def wait(self, seconds=10.0):
        """Waits for the end and returns the exit code; kills the child when it does not end."""
        seconds = patient(seconds)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.name} did not end within {seconds} s:\n{self.tail()}")
        for reader in self._readers:
            reader.join(seconds)
        return code

    def stop(self, seconds=10.0):
        """SIGTERM, then wait."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """Ends the child at once; nothing happens if it has ended."""
        if self.running():
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join(5)

    def _drain(self, stream):
        """Takes the lines that are in the pipe; who calls has the lock. False: there will be no more."""
        pipe, lines = getattr(self.process, stream), self._lines[stream]
        while self._rest[stream] is not None:
            try:
                data = os.read(pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            whole = io.BytesIO(self._rest[stream] + data).readlines()
            rest = whole.pop() if data and not whole[-1].endswith(b"\n") else b""
            self._rest[stream] = rest if data else None
            lines.extend(raw.decode("utf-8", "replace") for raw in whole)
            self._changed.notify_all()
        return False

    def _read(self, stream):
        pipe = getattr(self.process, stream)
        os.set_blocking(pipe.fileno(), False)
        there_is_more = select.poll()
        there_is_more.register(pipe.fileno(), select.POLLIN)

        def loop():
            more = True
            with pipe:
                while more:
                    there_is_more.poll()
                    with self._changed:
                        more = self._drain(stream)

        thread = threading.Thread(target=loop, daemon=True, name=f"{self.name} {stream}")
        thread.start()
        return thread
