# SPDX-License-Identifier: Apache-2.0
"""The canonical form of tests/interop/canonical.mjs, made from protobuf messages of Python's, and
what is needed to compare lists of such forms."""

import base64
import json
import math

_ONEOF_MESSAGES = {"arrayValue", "kvlistValue", "gauge", "sum", "histogram", "exponentialHistogram",
                   "summary"}
_HEX_FIELDS = {"trace_id", "span_id", "parent_span_id", "profile_id"}


def _double(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0"
    # JSON has one kind of number, and node writes 1 for 1.0.
    return int(value) if value.is_integer() else value


def _scalar(field, value):
    if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64):
        return str(value)
    if field.cpp_type == field.CPPTYPE_DOUBLE:
        return _double(value)
    if field.type == field.TYPE_BYTES:
        return value.hex() if field.name in _HEX_FIELDS else base64.b64encode(value).decode()
    return value


def _one(field, value):
    return from_message(value) if field.message_type else _scalar(field, value)


def from_message(message):
    """The canonical form of a protobuf message."""
    out = {}
    for field, value in message.ListFields():
        if field.label == field.LABEL_REPEATED:
            out[field.json_name] = [_one(field, v) for v in value]
        else:
            one = _one(field, value)
            if field.containing_oneof or one != {}:
                out[field.json_name] = one
    return out


def _numbers(value):
    """The form with numbers that are written as one when they are equal."""
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    if isinstance(value, dict):
        return {k: _numbers(v) for k, v in value.items()}
    return value


def _without_empty(value):
    if isinstance(value, list):
        return [_without_empty(v) for v in value]
    if isinstance(value, dict):
        made = {k: _without_empty(v) for k, v in value.items()}
        return {k: v for k, v in made.items() if v != {} or k in _ONEOF_MESSAGES}
    return value


def from_json(text):
    """The canonical form of OTLP/JSON that writes no defaults."""
    # -0 is one of the doubles; integers of 64 bits are strings.
    return _without_empty(json.loads(text, parse_int=lambda t: -0.0 if t == "-0" else int(t)))


def resource_groups(bodies):
    """The resource groups of several canonical requests, in one order, whatever theirs was."""
    groups = [_numbers(group) for body in bodies for groups in body.values() for group in groups]
    return sorted(groups, key=lambda group: json.dumps(group, sort_keys=True))


def differences(expected, actual, path=""):
    """Each place where two forms differ, one line a place."""
    if type(expected) is not type(actual):
        return [f"{path}: expected {expected!r}, got {actual!r}"]
    found = []
    if isinstance(expected, dict):
        for key in sorted(set(expected) | set(actual)):
            where = f"{path}.{key}"
            if key not in actual:
                found.append(f"{where}: missing, expected {expected[key]!r}")
            elif key not in expected:
                found.append(f"{where}: not expected: {actual[key]!r}")
            else:
                found += differences(expected[key], actual[key], where)
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            found.append(f"{path}: expected {len(expected)} elements, got {len(actual)}")
        for i, (left, right) in enumerate(zip(expected, actual)):
            found += differences(left, right, f"{path}[{i}]")
    elif expected != actual:
        found.append(f"{path}: expected {expected!r}, got {actual!r}")
    return found


def count_items(body):
    """Spans, data points or log records of a canonical request."""
    count = 0
    for group in (g for groups in body.values() for g in groups):
        for scope in group.get("scopeSpans", []) + group.get("scopeLogs", []):
            count += len(scope.get("spans", [])) + len(scope.get("logRecords", []))
        for scope in group.get("scopeMetrics", []):
            for metric in scope.get("metrics", []):
                count += sum(len(data.get("dataPoints", [])) for data in metric.values()
                             if isinstance(data, dict))
    return count
