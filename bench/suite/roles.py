# SPDX-License-Identifier: Apache-2.0
"""The roles as a user gets them: installed files, and examples/ROLE.yaml with its addresses turned to the test's."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

import yaml

from .process import Failure, Process, binary, free_port
from .servers import COLLECTOR_CPUS

READY = 'Everything is ready'
TOP = pathlib.Path(__file__).resolve().parents[2]


def example(role, folder, sink, certificate=None):
    """The role's example and the ports it listens on. What differs: addresses, the folder of its queue, and TLS."""
    document = yaml.safe_load((TOP / 'examples' / f'{role}.yaml').read_text())
    ports = {'grpc': free_port(), 'http': free_port()}
    exporter = document['exporters']['otlp_grpc']
    exporter['endpoint'] = f'127.0.0.1:{sink}'
    for protocol, server in document['receivers']['otlp']['protocols'].items():
        server['endpoint'] = f'127.0.0.1:{ports[protocol]}'
        if certificate:
            server['tls'] = {'cert_file': f'{certificate}/cert.pem', 'key_file': f'{certificate}/key.pem'}
            exporter['tls'] = {'ca_file': f'{certificate}/cert.pem'}
    document['extensions']['health_check']['endpoint'] = f'127.0.0.1:{free_port()}'
    if 'file_storage' in document['extensions']:
        document['extensions']['file_storage']['directory'] = f'{folder}/queue'
    reader = {'pull': {'exporter': {'prometheus': {'host': '127.0.0.1', 'port': free_port()}}}}
    document['service']['telemetry'] = {'metrics': {'readers': [reader]}}
    return document, ports


def memory_limit(role):
    """What the example's memory_limiter allows, in MiB."""
    return yaml.safe_load((TOP / 'examples' / f'{role}.yaml').read_text())['processors']['memory_limiter']['limit_mib']


class Role(Process):
    """weir with a role's example, inside a limit. `change` may edit the configuration; `files` holds its state; `first` is a
    command that runs it."""

    def __init__(self, build, role, limit, sink, certificate=None, change=None, files=None, first=()):
        self.folder = tempfile.TemporaryDirectory(prefix='weir-budget.', dir=files)
        document, self.ports = example(role, self.folder.name, sink, certificate)
        if change:
            change(document)
        path = os.path.join(self.folder.name, 'config.json')
        with open(path, 'w') as file:
            json.dump(document, file)
        command = limit.command([*first, binary(build, 'weir'), '--plugin-dir', f'{build}/plugins-1', '--config', path])
        super().__init__(build, command, COLLECTOR_CPUS, subprocess.DEVNULL)
        self.wait_for(READY, 30)

    def stop(self, seconds=60):
        try:
            return super().stop(seconds)
        finally:
            self.folder.cleanup()

    def threads(self):
        return len(os.listdir(f'/proc/{self.pid}/task'))


def time_to_ready(role, limit, sink, installed):
    """Milliseconds from exec to the line that says so. The process waits inside its limit for a word on its input."""
    with tempfile.TemporaryDirectory(prefix='weir-budget.') as folder:
        document, _ = example(role, folder, sink)
        path = os.path.join(folder, 'config.json')
        pathlib.Path(path).write_text(json.dumps(document))
        command = limit.command(['/bin/sh', '-c', 'echo >&2; read go; exec "$@"', 'sh', installed.program,
                                 '--plugin-dir', installed.plugins, '--config', path])
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              bufsize=0, env=installed.environment,
                              preexec_fn=lambda: os.sched_setaffinity(0, COLLECTOR_CPUS)) as child:
            child.stderr.readline()
            began = time.monotonic()
            child.stdin.write(b'go\n')
            said = b''
            while READY.encode() not in said:
                line = child.stderr.read(4096)
                if not line:
                    raise Failure(f'{role} did not start:\n{said.decode()}')
                said += line
            ended = time.monotonic()
            child.stdin.close()
            child.terminate()
            child.stderr.read()
            child.wait(30)
            return (ended - began) * 1000


def plugins(role):
    """The plugins of a role's package."""
    return [line for line in (TOP / 'roles' / role).read_text().splitlines() if line and not line.startswith('#')]


class Installed:
    """The build as packages have it: stripped, in a folder of its own."""

    def __init__(self, build):
        self.folder = tempfile.TemporaryDirectory(prefix='weir-installed.')
        done = subprocess.run(['make', '-s', '-C', build, 'install-strip', f'DESTDIR={self.folder.name}'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure(f'make install-strip failed:\n{done.stderr}')
        root = pathlib.Path(self.folder.name)
        self.files = [path for path in root.rglob('*')
                      if path.is_file() and not path.is_symlink()]
        self.program = next(path for path in self.files if path.name == 'weir')
        self.plugins = next(path for path in root.rglob('plugins-*') if path.is_dir())
        library = next(path.parent for path in self.files if path.name.startswith('libweir.so.'))
        self.environment = dict(os.environ, LD_LIBRARY_PATH=str(library), WEIR_PKGLIBDIR=str(self.plugins.parent))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def size(self, role):
        """MiB of the executable, the SDK's library and the role's plugins."""
        wanted = tuple(f'/{plugin}.so' for plugin in plugins(role))
        return sum(path.stat().st_size for path in self.files
                   if path.name == 'weir' or path.name.startswith('libweir.so.') or str(path).endswith(wanted)) / 2**20
