# SPDX-License-Identifier: Apache-2.0
"""A control group with a limit of CPU and memory, made by hand, version 1 or 2; root may do that."""
import os
import pathlib
import time

ROOT = pathlib.Path('/sys/fs/cgroup')
PERIOD = 100000  # microseconds, the kernel's and Kubernetes' default


class Unavailable(Exception):
    pass


def _read(path, key):
    """The number behind `key` in a file of lines 'key number'."""
    for line in path.read_text().splitlines():
        name, number = line.split()
        if name == key:
            return int(number)
    return 0


class Limit:
    """`cpus` of a CPU (a fraction) and `mib` of memory, page cache included; None: no limit, and for the CPU no group.

    Its weight against other groups is the highest there is, so that what else runs on the machine takes as little as
    possible of what the limit grants.
    """

    def __init__(self, cpus=None, mib=None):
        self.cpus, self.mib = cpus, mib
        self.unified = (ROOT / 'cgroup.controllers').exists()
        name = f'weir-bench.{os.getpid()}'
        self.cpu = ROOT / name if self.unified else ROOT / 'cpu' / name
        self.memory = ROOT / name if self.unified else ROOT / 'memory' / name
        self.folders = {self.cpu, self.memory} if cpus else {self.memory}

    def __enter__(self):
        try:
            if self.unified:
                (ROOT / 'cgroup.subtree_control').write_text('+cpu +memory')
            for folder in self.folders:
                folder.mkdir()
            self._set()
        except OSError as error:
            self._remove()
            raise Unavailable(f'no control group can be made: {error}') from None
        return self

    def _set(self):
        if self.unified:
            (self.memory / 'memory.max').write_text(str(self.mib << 20) if self.mib else 'max')
        else:
            (self.memory / 'memory.limit_in_bytes').write_text(str(self.mib << 20) if self.mib else '-1')
        if self.cpus and self.unified:
            (self.cpu / 'cpu.weight').write_text('10000')
            (self.cpu / 'cpu.max').write_text(f'{int(self.cpus * PERIOD)} {PERIOD}')
        elif self.cpus:
            (self.cpu / 'cpu.shares').write_text('262144')
            (self.cpu / 'cpu.cfs_period_us').write_text(str(PERIOD))
            (self.cpu / 'cpu.cfs_quota_us').write_text(str(int(self.cpus * PERIOD)))

    def _remove(self):
        for folder in self.folders:
            for _ in range(100):  # a process that has just ended is still counted for a moment
                try:
                    folder.rmdir()
                except FileNotFoundError:
                    pass
                except OSError:
                    time.sleep(0.02)
                    continue
                break

    def __exit__(self, *_):
        self._remove()

    def command(self, arguments):
        """The command that runs `arguments` inside."""
        files = ' '.join(f'{folder}/cgroup.procs' for folder in self.folders)
        return ['/bin/sh', '-c', f'for f in {files}; do echo $$ >$f || exit 1; done; exec "$@"', 'sh', *arguments]

    def throttled(self):
        """How often, and for how many seconds, the CPU limit has stopped what runs inside."""
        if not self.cpus:
            return 0, 0
        stat = self.cpu / 'cpu.stat'
        seconds = _read(stat, 'throttled_usec') / 1e6 if self.unified else _read(stat, 'throttled_time') / 1e9
        return _read(stat, 'nr_throttled'), seconds

    def peak(self):
        """The most memory that the group was charged for, in MiB."""
        path = self.memory / ('memory.peak' if self.unified else 'memory.max_usage_in_bytes')
        return int(path.read_text()) / 2**20 if path.exists() else 0
