# SPDX-License-Identifier: Apache-2.0
"""Reads the Prometheus text format that weir offers at its metrics endpoint."""

import re
import urllib.request

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?[0-9]+)?$")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}


def _unescape(text):
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m.group(1), m.group(0)), text)


def _labels(text):
    labels = {}
    position = 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if not match:
            raise ValueError(f"bad labels: {text!r}")
        labels[match.group(1)] = _unescape(match.group(2))
        position = match.end()
    return labels


class Metrics:
    """Parsed metrics: `samples` is a list of (name, labels, value), `types` maps name to type."""

    def __init__(self, text):
        self.samples = []
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(None, 3)
                self.types[name] = kind
            elif line and not line.startswith("#"):
                match = _SAMPLE.match(line)
                if not match:
                    raise ValueError(f"bad line: {line!r}")
                name, labels, value = match.groups()
                self.samples.append((name, _labels(labels or ""), float(value)))

    def find(self, name, **labels):
        """All samples of `name` that have at least these labels."""
        return [s for s in self.samples if s[0] == name and
                all(s[1].get(k) == v for k, v in labels.items())]

    def value(self, name, **labels):
        """The sum over the samples of `name` with at least these labels; 0 when there are none."""
        return sum(s[2] for s in self.find(name, **labels))

    def names(self):
        return {s[0] for s in self.samples}


def scrape(port, path="/metrics", seconds=5.0):
    """GETs the metrics of the process that listens on `port`."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
        return Metrics(answer.read().decode("utf-8"))
