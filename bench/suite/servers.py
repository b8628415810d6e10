# SPDX-License-Identifier: Apache-2.0
"""The collector, the sink behind it, and the ceilings it is held against: each a process with ports."""
import json
import os
import shutil
import subprocess
import tempfile

from . import config
from .process import Failure, Process, binary, free_port

COLLECTOR_CPUS, LOAD_CPUS = ({cpu} for cpu in (sorted(os.sched_getaffinity(0)) * 2)[:2])
NGHTTPX = shutil.which('nghttpx', path=os.environ.get('PATH', '') + ':/usr/sbin')
# As gRPC servers do; the default of 64 KiB would be the limit long before the CPU.
WINDOWS = [f'--{side}-http2-{what}-size={size}' for side in ('frontend', 'backend')
           for what, size in (('window', 1 << 20), ('connection-window', 16 << 20))]


def wire(load):
    """Which of a server's ports the load is for."""
    return 'grpc' if load.protocol == 'grpc' else 'http'


def make_certificate(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                    '-keyout', f'{folder}/key.pem', '-out', f'{folder}/cert.pem'],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Server(Process):
    """A process that says on its standard output where it listens, as lines 'http ADDRESS:PORT'."""

    def __init__(self, build, arguments, cpus, ports):
        super().__init__(build, arguments, cpus)
        self.ports = {}
        while len(self.ports) < ports:
            line = self.child.stdout.readline()
            if not line:
                raise Failure(f'{arguments[0]} did not start:\n{self.log()}')
            kind, address = line.split()
            self.ports[kind] = int(address.rsplit(':', 1)[1])


def sink(bench, load, cpus, *more):
    """Reads and answers and does nothing else."""
    tls = [f'--cert={bench.certificate}/cert.pem', f'--key={bench.certificate}/key.pem'] if load.tls else []
    return Server(bench.build, [binary(bench.build, 'bench/weir-sink'), '--grpc=127.0.0.1:0', '--http=127.0.0.1:0',
                                '--discard', '--interval=0', *tls, *more], cpus, 2)


def relay(bench, upstream):
    """HTTP/1.1: reads a request whole, forwards it, and answers when the upstream has."""
    return Server(bench.build, [binary(bench.build, 'bench/relay/relay'), '0', str(upstream.ports['http'])],
                  COLLECTOR_CPUS, 1)


def middle(bench, load, upstream):
    """The ceiling of a collector for this load, and its name; None where there is none."""
    if load.protocol != 'grpc' and not load.tls:
        return 'relay', relay(bench, upstream)
    return ('proxy', proxy(bench, load, upstream)) if NGHTTPX else None


def proxy(bench, load, upstream):
    """nghttpx, a proxy made of nghttp2: HTTP/2, and HTTP/1.1 with TLS."""
    protocol, port = wire(load), free_port()
    front = f'127.0.0.1,{port}' + ('' if load.tls else ';no-tls')
    back = f'127.0.0.1,{upstream.ports[protocol]};;proto={"h2" if protocol == "grpc" else "http/1.1"}'
    keys = [f'{bench.certificate}/key.pem', f'{bench.certificate}/cert.pem'] if load.tls else []
    process = Process(bench.build, [NGHTTPX, '--conf=/dev/null', '--workers=1', '--single-process', '--insecure',
                                    '--log-level=NOTICE', '--frontend', front, '--backend',
                                    back + (';tls' if load.tls else ''), *WINDOWS, *keys], COLLECTOR_CPUS,
                      subprocess.DEVNULL)
    process.ports = {protocol: port}
    process.wait_for('Listening on')
    return process


class Weir(Process):
    """The collector, on a configuration, in a folder of its own that is gone with it."""

    def __init__(self, bench, document, ports, cpus=COLLECTOR_CPUS, workers=1):
        self.folder = tempfile.TemporaryDirectory(prefix='weir-bench.')
        self.ports = ports
        path = os.path.join(self.folder.name, 'config.json')
        with open(path, 'w') as file:
            json.dump(document(self.folder.name), file)
        super().__init__(bench.build, [binary(bench.build, 'weir'), '--plugin-dir', f'{bench.build}/plugins-1',
                                       '--workers', str(workers), '--config', path], cpus, subprocess.DEVNULL)
        self.wait_for('Everything is ready')

    def stop(self, seconds=60):
        try:
            super().stop(seconds)
        finally:
            self.folder.cleanup()

    def end(self):
        """Stops it, sees that nothing was lost inside, and tells how many items were dropped."""
        self.stop()
        log = self.log()
        if self.child.returncode != 0 or 'the ledger closes' not in log:
            raise Failure(f'weir ended badly:\n{log}')
        return sum(int(line.split()[1]) for line in log.splitlines() if line.strip().startswith('dropped '))


def weir(bench, scenario, upstream):
    """The collector with the scenario's pipeline, on one core with one worker."""
    port = free_port()
    return Weir(bench, lambda folder: config.lanes(scenario, [port], [upstream], folder, bench.certificate),
                {wire(scenario.load): port})
