# SPDX-License-Identifier: Apache-2.0
"""What tools/quickstart shows, on free ports: the example's configuration, fed by weir-load."""

from weirtest import TestCase, free_port, paths
from weirtest.bench import load

EXAMPLE = paths.TOP / "examples" / "quickstart.yaml"


class Quickstart(TestCase):
    def test_each_signal_is_printed_and_the_ledger_closes(self):
        port = free_port()
        endpoints = {"receivers.otlp.protocols.grpc.endpoint": f"127.0.0.1:{port}",
                     "receivers.otlp.protocols.http.endpoint": f"127.0.0.1:{free_port()}",
                     "extensions.health_check.endpoint": f"127.0.0.1:{free_port()}",
                     "service.telemetry.metrics.level": "none"}
        weir = self.weir(EXAMPLE.read_text(), args=[f"--set={k}={v}" for k, v in endpoints.items()])
        code, summary, _ = load("-e", f"127.0.0.1:{port}", "-n", 18, "--items=3", "--attributes=3",
                                "--signal=traces,metrics,logs", "--compression=gzip")
        self.assertEqual((code, summary["items_acknowledged"]), (0, 18))
        for text in ('"spans": 6', '"data points": 6', '"log records": 6'):
            weir.child.wait_line(text)
        self.stop_cleanly(weir)
