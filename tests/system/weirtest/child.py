# SPDX-License-Identifier: Apache-2.0
"""A child process whose output is read all the time and that cannot outlive the test."""

import ctypes
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
    """Starts `argv`; stdout and stderr are collected line by line and can be waited for."""

    def __init__(self, argv, name=None, **options):
        self.name = name or str(argv[0])
        self.process = subprocess.Popen(
            [str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_die_with_parent, **{"stdin": subprocess.DEVNULL, **options})
        self._changed = threading.Condition()
        self._lines = {"stdout": [], "stderr": []}
        self._readers = [self._read(stream) for stream in ("stdout", "stderr")]

    @property
    def pid(self):
        return self.process.pid

    @property
    def stdout(self):
        """The text of stdout so far."""
        with self._changed:
            return "".join(self._lines["stdout"])

    @property
    def stderr(self):
        """The text of stderr so far."""
        with self._changed:
            return "".join(self._lines["stderr"])

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

    def _read(self, stream):
        pipe = getattr(self.process, stream)

        def loop():
            with pipe:
                for raw in pipe:
                    with self._changed:
                        self._lines[stream].append(raw.decode("utf-8", "replace"))
                        self._changed.notify_all()
            with self._changed:
                self._changed.notify_all()

        thread = threading.Thread(target=loop, daemon=True, name=f"{self.name} {stream}")
        thread.start()
        return thread
