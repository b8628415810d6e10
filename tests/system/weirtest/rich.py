# SPDX-License-Identifier: Apache-2.0
"""Hand-made requests with every field of OTLP in them, extreme values included."""

from . import messages

_T = 1_700_000_000_000_000_000
_TRACE = bytes(range(1, 17))
_SPAN = bytes(range(0xF0, 0xF8))
_SCHEMA = "https://opentelemetry.io/schemas/1.27.0"
_TEXT = 'Grüße, 世界 \U0001F30D "quoted" \\ / \b\f\n\r\t \x01 \x7f \u2028 </script>'
INT64_MIN, INT64_MAX, UINT64_MAX = -2**63, 2**63 - 1, 2**64 - 1

DOUBLES = (0.0, -0.0, 1.0, 0.1, 1 / 3, -1e-9, 5e-324, 2.2250738585072014e-308, 1e21, 1e22, 2.0**53,
           1.7976931348623157e308, 123456789.125, float("inf"), float("-inf"), float("nan"))


def _common():
    return messages.module("common/v1/common")


def values():
    """An AnyValue of every type, simple and nested, and one with nothing in it."""
    any_value = _common().AnyValue
    simple = [any_value(string_value=s) for s in ("", "text", _TEXT)]
    simple += [any_value(bool_value=b) for b in (False, True)]
    simple += [any_value(int_value=i) for i in (0, 1, -1, 2**53 + 1, INT64_MIN, INT64_MAX)]
    simple += [any_value(double_value=d) for d in DOUBLES]
    simple += [any_value(bytes_value=b) for b in (b"", b"\0", b"\xff\xfe", bytes(range(256)))]
    simple.append(any_value())
    array = any_value()
    array.array_value.values.extend(simple)
    empty_array, empty_map, mapped, deep = any_value(), any_value(), any_value(), any_value()
    empty_array.array_value.SetInParent()
    empty_map.kvlist_value.SetInParent()
    for i, value in enumerate([*simple, array, empty_array, empty_map]):
        mapped.kvlist_value.values.add(key=f"k{i}" if i else "", value=value)
    level = deep
    for depth in range(10):
        level.array_value.values.add(int_value=depth)
        pair = level.array_value.values.add().kvlist_value.values.add(key=f"level {depth}")
        level = pair.value
    level.string_value = "bottom"
    return [*simple, array, empty_array, empty_map, mapped, deep]


def attributes():
    """One attribute for each of values(), and one without a value."""
    pair = _common().KeyValue
    return [*(pair(key=f"attribute.{i}", value=v) for i, v in enumerate(values())),
            pair(key="no value")]


def _fill_resource(resource):
    resource.attributes.extend(attributes())
    resource.attributes.add(key="service.name").value.string_value = "rich"
    resource.dropped_attributes_count = 2**32 - 1
    resource.entity_refs.add(schema_url=_SCHEMA, type="service", id_keys=["service.name", ""],
                             description_keys=["attribute.1"])


def _fill_scope(scope):
    scope.name, scope.version = "scope/ü", "0.0.1-rc1"
    scope.attributes.extend(attributes())
    scope.dropped_attributes_count = 7


def traces():
    message = messages.request("traces")()
    group = message.resource_spans.add(schema_url=_SCHEMA)
    _fill_resource(group.resource)
    scope = group.scope_spans.add(schema_url=_SCHEMA + "/scope")
    _fill_scope(scope.scope)
    for kind in range(6):
        span = scope.spans.add(
            trace_id=_TRACE, span_id=_SPAN, parent_span_id=_SPAN[::-1], name=f"span {kind} é",
            trace_state="rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", kind=kind,
            start_time_unix_nano=_T + kind, end_time_unix_nano=UINT64_MAX - kind,
            attributes=attributes(), dropped_attributes_count=1, dropped_events_count=2,
            dropped_links_count=3, flags=0x301)
        span.status.code, span.status.message = kind % 3, f"status {kind} ö"
        span.events.add(time_unix_nano=_T + 5, name="event", attributes=attributes(),
                        dropped_attributes_count=4)
        span.events.add()
        span.links.add(trace_id=_TRACE, span_id=_SPAN, trace_state="a=b", flags=0x100,
                       attributes=attributes(), dropped_attributes_count=5)
        span.links.add(trace_id=_TRACE, span_id=_SPAN)
    scope.spans.add(trace_id=_TRACE, span_id=_SPAN)
    group.scope_spans.add().spans.add(trace_id=_TRACE[::-1], span_id=_SPAN, name="no scope")
    message.resource_spans.add().scope_spans.add().spans.add(
        trace_id=_TRACE, span_id=_SPAN, name="no resource")
    return message


def _add_exemplars(point):
    point.exemplars.add(time_unix_nano=_T, as_double=0.5, span_id=_SPAN, trace_id=_TRACE,
                        filtered_attributes=attributes())
    point.exemplars.add(time_unix_nano=_T, as_int=0)
    point.exemplars.add(time_unix_nano=_T, as_int=INT64_MIN)


def _add_number_points(points):
    times = {"start_time_unix_nano": _T, "time_unix_nano": _T + 1}
    for value in DOUBLES:
        points.add(as_double=value, **times)
    for value in (0, INT64_MIN, INT64_MAX):
        points.add(as_int=value, attributes=attributes(), **times)
    points.add(flags=1, **times)
    _add_exemplars(points.add(as_int=1, flags=2**32 - 1))


def _add_histograms(scope):
    for temporality in (0, 1, 2):
        metric = scope.metrics.add(name=f"histogram.{temporality}")
        metric.histogram.aggregation_temporality = temporality
        points = metric.histogram.data_points
        full = points.add(start_time_unix_nano=_T, time_unix_nano=_T + 1, count=UINT64_MAX,
                          sum=-0.5, bucket_counts=[0, 1, UINT64_MAX], explicit_bounds=[-1.5, 0.0],
                          attributes=attributes(), flags=1, min=-1e300, max=1e300)
        _add_exemplars(full)
        points.add(count=0, sum=0.0, min=0.0, max=0.0)
        points.add(count=3)
        metric = scope.metrics.add(name=f"exponential.{temporality}")
        metric.exponential_histogram.aggregation_temporality = temporality
        points = metric.exponential_histogram.data_points
        full = points.add(attributes=attributes(), start_time_unix_nano=_T,
                          time_unix_nano=_T + 1, count=UINT64_MAX, sum=2.5, scale=-10,
                          zero_count=UINT64_MAX, flags=1, min=-3.0, max=4.0, zero_threshold=1e-12)
        full.positive.offset, full.negative.offset = -2**31, 2**31 - 1
        full.positive.bucket_counts.extend([0, 1, 127, 128, 300, UINT64_MAX])
        full.negative.bucket_counts.extend([5])
        _add_exemplars(full)
        points.add(scale=20, count=1, sum=0.0, min=0.0, max=0.0)
        points.add()


def _add_summary(scope):
    summary = scope.metrics.add(name="summary").summary
    full = summary.data_points.add(start_time_unix_nano=_T, time_unix_nano=_T + 1, count=9,
                                   sum=-4.5, attributes=attributes(), flags=1)
    for quantile in (0.0, 0.5, 0.999, 1.0):
        full.quantile_values.add(quantile=quantile, value=quantile * 100)
    summary.data_points.add()


def metrics():
    message = messages.request("metrics")()
    group = message.resource_metrics.add(schema_url=_SCHEMA)
    _fill_resource(group.resource)
    scope = group.scope_metrics.add(schema_url=_SCHEMA + "/scope")
    _fill_scope(scope.scope)
    gauge = scope.metrics.add(name="gauge", description="Größe", unit="By")
    gauge.metadata.extend(attributes())
    _add_number_points(gauge.gauge.data_points)
    for temporality in (0, 1, 2):
        for monotonic in (False, True):
            metric = scope.metrics.add(name=f"sum.{temporality}.{monotonic}", unit="{thing}")
            metric.sum.aggregation_temporality = temporality
            metric.sum.is_monotonic = monotonic
            _add_number_points(metric.sum.data_points)
    _add_histograms(scope)
    _add_summary(scope)
    bare = message.resource_metrics.add().scope_metrics.add().metrics.add(name="bare")
    bare.gauge.data_points.add(as_int=-1)
    return message


def logs():
    message = messages.request("logs")()
    group = message.resource_logs.add(schema_url=_SCHEMA)
    _fill_resource(group.resource)
    scope = group.scope_logs.add(schema_url=_SCHEMA + "/scope")
    _fill_scope(scope.scope)
    for i, body in enumerate(values()):
        scope.log_records.add(
            time_unix_nano=_T + i, observed_time_unix_nano=UINT64_MAX, severity_number=i % 25,
            severity_text=f"severity {i} ñ", body=body, attributes=attributes(),
            dropped_attributes_count=i, flags=1, trace_id=_TRACE, span_id=_SPAN,
            event_name=f"event.{i}")
    scope.log_records.add(time_unix_nano=1)
    group.scope_logs.add().log_records.add().body.string_value = "no scope"
    message.resource_logs.add().scope_logs.add().log_records.add(observed_time_unix_nano=1)
    return message


def make(signal):
    """The rich request of a signal."""
    return {"traces": traces, "metrics": metrics, "logs": logs}[signal]()
