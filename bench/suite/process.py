# SPDX-License-Identifier: Apache-2.0
"""Child processes: pinned to CPUs, ended by their id, with what they cost in CPU time and memory."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time


class Failure(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def binary(build, name):
    """The program itself, not libtool's script around it."""
    real = os.path.join(build, os.path.dirname(name), '.libs', os.path.basename(name))
    return real if os.path.exists(real) else os.path.join(build, name)


class Process:
    """A child, on the CPUs given (a set; None: any). Standard error is kept; the log shows it."""

    def __init__(self, build, arguments, cpus=None, stdout=subprocess.PIPE):
        libraries = f'{build}/sdk/.libs'
        environment = dict(os.environ, LD_LIBRARY_PATH=libraries, WEIR_PKGLIBDIR=libraries)
        self.errors = tempfile.TemporaryFile('w+')
        self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=stdout, stderr=self.errors, text=True,
                                      env=environment, preexec_fn=lambda: cpus and os.sched_setaffinity(0, cpus))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.child.pid

    def cpu(self):
        """CPU-seconds of all its threads, in nanoseconds' steps: the clock of clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def _kib(self, file, key):
        with open(f'/proc/{self.pid}/{file}') as text:
            return int(re.search(rf'^{key}:\s+([0-9]+) kB', text.read(), re.MULTILINE).group(1))

    def peak(self):
        """The most that was ever resident, in MiB."""
        return self._kib('status', 'VmHWM') / 1024

    def rss(self):
        return self._kib('smaps_rollup', 'Rss') / 1024

    def pss(self):
        """What is resident and not shared with other processes, in MiB."""
        return self._kib('smaps_rollup', 'Pss') / 1024

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_for(self, text, seconds=10):
        """Until `text` is in the log."""
        deadline = time.monotonic() + seconds
        while text not in self.log():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise Failure(f'{self.child.args[0]} did not say "{text}":\n{self.log()}')
            time.sleep(0.005)

    def settle(self, quiet=0.4, seconds=30, share=0.02):
        """Until it has nothing left to do: it took less than `share` of a CPU for `quiet` seconds."""
        deadline, since, last = time.monotonic() + seconds, time.monotonic(), self.cpu()
        while time.monotonic() < min(deadline, since + quiet):
            time.sleep(0.05)
            now = self.cpu()
            if now - last > share * 0.05:
                since = time.monotonic()
            last = now

    def stop(self, seconds=60):
        """Ends it and gives back its standard output."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            out, _ = self.child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise Failure(f'{self.child.args[0]} did not stop:\n{self.log()}') from None
        return out
