# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus and VictoriaMetrics: they take remote write, and are asked for what they have."""

import json
import pathlib
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from .child import Child
from .ports import free_port
from .wait import wait_for


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Prometheus:
    """A server with an empty store at `host`; `scrape` is a list of ports (of 127.0.0.1), or of "address:port",
    whose /metrics it reads every 200 ms: in the protobuf form where it wants native histograms."""

    def __init__(self, scrape=(), port=None, host="127.0.0.1", native=True):
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.prometheus.")
        folder = pathlib.Path(self._folder.name)
        targets = [{"job_name": f"port-{str(target).rpartition(':')[2]}", "honor_labels": True,
                    "scrape_interval": "200ms", "scrape_timeout": "200ms", "static_configs": [
                        {"targets": [target if isinstance(target, str) else f"127.0.0.1:{target}"]}]}
                   for target in scrape]
        (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": targets}))
        self.port = port or free_port()
        self._address = f"{host}:{self.port}"
        self.child = Child(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address={self._address}", "--web.enable-remote-write-receiver",
             f"--enable-feature={'native-histograms,' if native else ''}exemplar-storage", "--log.level=warn"])
        wait_for(lambda: _answers(f"http://{self._address}/-/ready"), 20, lambda: f"prometheus is ready: {self.child.tail()}")

    @property
    def write_url(self):
        return f"http://{self._address}/api/v1/write"

    def get(self, path, **parameters):
        """The `data` of an answer of the HTTP API."""
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters, True)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def samples(self, selector, seconds=3600):
        """{labels as a sorted tuple of pairs: [(milliseconds, text of the value), ...]}: all samples of the last
        `seconds`; native histograms have a dict as their value."""
        out = {}
        for series in self.get("query", query=f"{selector}[{seconds}s]")["result"]:
            points = series.get("values", []) + series.get("histograms", [])
            out[tuple(sorted(series["metric"].items()))] = [(round(t * 1000), v) for t, v in points]
        return out

    def close(self):
        self.child.kill()
        self._folder.cleanup()


class Victoria:
    """VictoriaMetrics with an empty store."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.victoria.")
        self.port = free_port()
        self.child = Child(["victoria-metrics", f"-storageDataPath={self._folder.name}", "-retentionPeriod=1",
                            f"-httpListenAddr=127.0.0.1:{self.port}", "-memory.allowedBytes=64MB"])
        wait_for(lambda: _answers(f"http://127.0.0.1:{self.port}/health"), 20,
                 lambda: f"victoria-metrics is ready: {self.child.tail()}")

    @property
    def write_url(self):
        return f"http://127.0.0.1:{self.port}/api/v1/write"

    def samples(self, selector):
        """{labels as a sorted tuple of pairs: [(milliseconds, value), ...]}: all there is."""
        url = f"http://127.0.0.1:{self.port}/api/v1/export?{urllib.parse.urlencode({'match[]': selector})}"
        out = {}
        with urllib.request.urlopen(url, timeout=5) as answer:
            for line in answer:
                series = json.loads(line)
                out[tuple(sorted(series["metric"].items()))] = list(zip(series["timestamps"], series["values"]))
        return out

    def close(self):
        self.child.kill()
        self._folder.cleanup()
