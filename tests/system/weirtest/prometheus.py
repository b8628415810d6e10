# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus: takes remote write, scrapes, and is asked for what it has."""

import json
import pathlib
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from .child import Child
from .ports import free_port
from .wait import wait_for


class Prometheus:
    """A server with an empty store; `scrape` is a list of ports whose /metrics it reads every 200 ms."""

    def __init__(self, scrape=(), port=None):
        self._folder = tempfile.TemporaryDirectory(prefix="weirtest.prometheus.")
        folder = pathlib.Path(self._folder.name)
        targets = [{"job_name": f"port-{port}", "honor_labels": True, "scrape_interval": "200ms",
                    "scrape_timeout": "200ms", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                   for port in scrape]
        (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": targets}))
        self.port = port or free_port()
        self.child = Child(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
             "--enable-feature=native-histograms,exemplar-storage", "--log.level=warn"])
        wait_for(self._ready, 20, lambda: f"prometheus is ready: {self.child.tail()}")

    def _ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    @property
    def write_url(self):
        return f"http://127.0.0.1:{self.port}/api/v1/write"

    def get(self, path, **parameters):
        """The `data` of an answer of the HTTP API."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, True)}"
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
