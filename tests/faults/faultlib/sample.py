# SPDX-License-Identifier: Apache-2.0
"""Samples of a process from /proc: memory, descriptors, CPU."""

import os
import pathlib
import re
import threading
import time

_TICKS = os.sysconf("SC_CLK_TCK")


def status(pid):
    """(resident MiB, largest resident MiB so far) of a process, (0, 0) when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0, 0.0
    found = [re.search(rf"^{name}:\s+([0-9]+) kB", text, re.MULTILINE) for name in ("VmRSS", "VmHWM")]
    return tuple(int(m.group(1)) / 1024 if m else 0.0 for m in found)


def rss_mib(pid):
    return status(pid)[0]


def peak_mib(pid):
    return status(pid)[1]


def reset_peak(pid):
    """The largest resident size counts from now on."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def cpu_seconds(pid):
    """User and system time of a process so far; 0 when it is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Sampler:
    """Looks at a process every `interval` seconds until close(): `samples` is a list of
    (monotonic time, resident MiB, descriptors, CPU seconds, and between which two times these were read); `rss0` and
    `fds0` are the first."""

    def __init__(self, pid, interval=0.05):
        self.pid = pid
        self.samples = []
        self._interval = interval
        self._over = threading.Event()
        self._take()
        _, self.rss0, self.fds0, *_ = self.samples[0]
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _cpu(self):
        """CPU seconds, and between which two moments they were read."""
        before = time.monotonic()
        return cpu_seconds(self.pid), before, time.monotonic()

    def _take(self):
        rss, fds = rss_mib(self.pid), descriptors(self.pid)
        if rss or not self.samples:
            self.samples.append((time.monotonic(), rss, fds, *self._cpu()))

    def _loop(self):
        while not self._over.wait(self._interval):
            self._take()

    @property
    def rss_peak(self):
        """MiB; the kernel's own maximum where the process still lives."""
        return max([s[1] for s in self.samples])

    @property
    def rss_growth(self):
        return self.rss_peak - self.rss0

    @property
    def fds_peak(self):
        return max(s[2] for s in self.samples)

    def cpu_share(self, since):
        """CPU seconds a second from the monotonic time `since` until now; what the clocks cannot tell, and what the
        machine takes between two looks, is left out."""
        cpu, _, end = self._cpu()
        inside = [s for s in self.samples if s[0] >= since]
        return max(0.0, cpu - inside[0][3] - 2 / _TICKS) / (end - inside[0][4]) if inside else 0.0

    def close(self):
        self._over.set()
        self._thread.join()
