# SPDX-License-Identifier: Apache-2.0
"""weir as a child process."""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from . import paths
from .child import Child

READY = "Everything is ready. Begin running and processing data."
START_SECONDS = 20.0
STOP_SECONDS = 20.0

Exit = collections.namedtuple("Exit", "code stderr")
Done = collections.namedtuple("Done", "code stdout stderr")


# Puts the sockets where sd_listen_fds(3) wants them; they move up first, out of one another's way.
_ACTIVATE = """
import fcntl, os, sys
fds, names, command = sys.argv[1].split(","), sys.argv[2], sys.argv[3:]
for i, fd in enumerate([fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in fds]):
    os.dup2(fd, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
if names:
    os.environ["LISTEN_FDNAMES"] = names
os.execv(command[0], command)
"""


def _command(config_files, args):
    command = [str(paths.weir_bin())]
    for path in config_files:
        command += ["--config", str(path)]
    return command + [str(a) for a in args]


def _environment(extra):
    return {**os.environ, **paths.weir_env(), **(extra or {})}


def _write_config(folder, config):
    text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
    path = pathlib.Path(folder) / "config.yaml"
    path.write_text(text)
    return path


class Weir:
    """Runs weir on `config` (YAML text, or anything yaml.safe_dump takes) in a folder of its own.

    Use it in a `with`, or through TestCase.weir(), which stops it at the end of the test. The
    process is ready when the constructor returns, unless ready=False. `sockets` are listening ones, which it is
    started with as systemd would, under `names`.
    """

    def __init__(self, config, args=(), env=None, ready=True, sockets=(), names=None):
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.folder = pathlib.Path(self._folder.name)
        command = _command([_write_config(self.folder, config)], args)
        if sockets:
            command = [sys.executable, "-c", _ACTIVATE, ",".join(str(s.fileno()) for s in sockets),
                       ":".join(names or [])] + command
        self.child = Child(command, "weir", cwd=self.folder, env=_environment(env),
                           pass_fds=[s.fileno() for s in sockets])
        if ready:
            try:
                self.wait_ready()
            except BaseException:
                self.kill()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def pid(self):
        return self.child.pid

    @property
    def stderr(self):
        return self.child.stderr

    def wait_ready(self, seconds=START_SECONDS):
        self.child.wait_line(READY, seconds)

    def running(self):
        return self.child.running()

    def peak_kib(self):
        """The largest resident size so far, in KiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+([0-9]+) kB", status, re.MULTILINE).group(1))

    def sanitized(self):
        """True for a build with a sanitizer, which needs memory of its own."""
        return bool(re.search(r"/lib[alt]san\.so", pathlib.Path(f"/proc/{self.pid}/maps").read_text()))

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM; returns Exit(code, stderr). The ledger is in stderr."""
        code = self.child.stop(seconds)
        return Exit(code, self.child.stderr)

    def wait(self, seconds=STOP_SECONDS):
        """Waits for weir to end by itself."""
        code = self.child.wait(seconds)
        return Exit(code, self.child.stderr)

    def kill(self):
        """Ends what is left; may be called any number of times."""
        self.child.kill()
        self._folder.cleanup()


def run(*args, env=None, cwd=None, seconds=20.0):
    """Runs weir with these arguments to its end; returns Done(code, stdout, stderr)."""
    done = subprocess.run([str(paths.weir_bin()), *map(str, args)], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=seconds, cwd=cwd, env=_environment(env))
    return Done(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def validate(config, args=(), env=None, seconds=20.0):
    """`weir validate --config FILE`: returns Exit(code, stderr)."""
    with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
        command = _command([_write_config(folder, config)], args)
        command.insert(1, "validate")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=seconds, cwd=folder, env=_environment(env))
        return Exit(done.returncode, done.stderr.decode("utf-8", "replace"))
