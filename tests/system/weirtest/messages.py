# SPDX-License-Identifier: Apache-2.0
"""OTLP's message classes, made by protoc from tests/proto, and the names around them.

    messages.request("traces")       class ExportTraceServiceRequest
    messages.response("traces")      class ExportTraceServiceResponse
    messages.module("trace/v1/trace")
"""

import fcntl
import importlib
import subprocess
import sys

from . import paths

SIGNALS = ("traces", "metrics", "logs")
_FOLDERS = {"traces": "trace", "metrics": "metrics", "logs": "logs"}
_NAMES = {"traces": "Trace", "metrics": "Metrics", "logs": "Logs"}


def method(signal):
    """The gRPC path of a signal's Export."""
    folder, name = _FOLDERS[signal], _NAMES[signal]
    return f"/opentelemetry.proto.collector.{folder}.v1.{name}Service/Export"


def http_path(signal):
    return f"/v1/{signal}"


def _generate(target):
    """Runs protoc when its output is missing or older than a .proto file."""
    target.mkdir(parents=True, exist_ok=True)
    protos = sorted(paths.PROTOS.glob("opentelemetry/**/*.proto"))
    if not protos:
        raise FileNotFoundError(f"no .proto files in {paths.PROTOS}")
    stamp = target / "stamp"
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        newest = max(p.stat().st_mtime for p in protos)
        if not stamp.exists() or stamp.stat().st_mtime < newest:
            subprocess.run(["protoc", "-I", str(paths.PROTOS), "--python_out", str(target)] +
                           [str(p) for p in protos], check=True)
            stamp.touch()


def module(name):
    """The generated module of opentelemetry/proto/NAME.proto."""
    target = paths.GENERATED / "python"
    if str(target) not in sys.path:
        _generate(target)
        sys.path.insert(0, str(target))
    return importlib.import_module("opentelemetry.proto." + name.replace("/", ".") + "_pb2")


def _service(signal):
    folder = _FOLDERS[signal]
    return module(f"collector/{folder}/v1/{folder}_service")


def request(signal):
    """The class of a signal's export request."""
    return getattr(_service(signal), f"Export{_NAMES[signal]}ServiceRequest")


def response(signal):
    """The class of a signal's export response."""
    return getattr(_service(signal), f"Export{_NAMES[signal]}ServiceResponse")


def simple(signal, count=1, name="item"):
    """A small valid request with `count` items."""
    message = request(signal)()
    if signal == "traces":
        scope = message.resource_spans.add().scope_spans.add()
        for i in range(count):
            scope.spans.add(name=f"{name} {i}", trace_id=bytes([1] * 16), start_time_unix_nano=1,
                            span_id=(i + 1).to_bytes(8, "big"), end_time_unix_nano=2)
    elif signal == "metrics":
        metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
        for i in range(count):
            metric.gauge.data_points.add(as_int=i, time_unix_nano=1)
    else:
        scope = message.resource_logs.add().scope_logs.add()
        for i in range(count):
            scope.log_records.add(time_unix_nano=i + 1).body.string_value = f"{name} {i}"
    return message


def count_items(signal, message):
    """Spans, data points or log records in a request."""
    if signal == "traces":
        return sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans)
    if signal == "logs":
        return sum(len(s.log_records) for r in message.resource_logs for s in r.scope_logs)
    return sum(len(getattr(m, m.WhichOneof("data")).data_points)
               for r in message.resource_metrics for s in r.scope_metrics for m in s.metrics
               if m.WhichOneof("data"))
