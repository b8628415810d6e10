# SPDX-License-Identifier: Apache-2.0
"""OTLP/JSON against protobuf's own JSON: generated requests must mean the same to both, both ways.

ProtoJSON writes ids as base64 where OTLP wants hex, so ids are rewritten on the way to and from it.
"""
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
except ImportError:
    print("python3-protobuf is not installed")
    sys.exit(77)

TOP = os.environ["abs_top_srcdir"]
CONVERT = os.environ["abs_top_builddir"] + "/sdk/src/json/tests/convert"
ROUNDS = 60
# Fields of profiles' string tables, which other signals do not use.
UNUSED = {"key_strindex", "string_value_strindex"}
IDS = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
DEPTH = 12


def load_messages():
    """The three export requests, from the .proto files by way of protoc-c."""
    compiler = shutil.which("protoc-c")
    if not compiler:
        print("protoc-c is not installed")
        sys.exit(77)
    names = {"traces": "Trace", "metrics": "Metrics", "logs": "Logs"}
    files = [f"opentelemetry/proto/collector/{n.lower()}/v1/{n.lower()}_service.proto" for n in names.values()]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([compiler, "-I", TOP + "/tests/proto", "--include_imports",
                        f"--descriptor_set_out={folder}/set", f"--c_out={folder}", *files], check=True)
        with open(folder + "/set", "rb") as file:
            described = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {signal: factory.GetPrototype(pool.FindMessageTypeByName(
        f"opentelemetry.proto.collector.{n.lower()}.v1.Export{n}ServiceRequest")) for signal, n in names.items()}


def make_scalar(rng, field):
    kind = field.cpp_type
    if field.type == field.TYPE_BYTES:
        length = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}.get(field.name, rng.randint(0, 5))
        return bytes(rng.randint(1, 255) for _ in range(length)) if rng.random() < 0.8 else b""
    if kind == field.CPPTYPE_STRING:
        return rng.choice(["", "a", "h\u00e4\u20ac\U0001f600", 'x"\\\n\t\x01\x7fy', "z" * rng.randint(100, 300)])
    if kind == field.CPPTYPE_BOOL:
        return rng.choice([True, False])
    if kind == field.CPPTYPE_DOUBLE:
        return rng.choice([0.0, 1.5, -2.25, rng.random(), 1e300, float("nan"), float("inf"), float("-inf"),
                           rng.random() * 1e6, float(rng.randint(0, 1000)), 5e-324, 1e-7, 123.456])
    if kind == field.CPPTYPE_ENUM:
        return rng.choice([value.number for value in field.enum_type.values])
    if kind == field.CPPTYPE_INT32:
        return rng.choice([0, 1, -1, 2**31 - 1, -2**31, rng.randint(-99, 99)])
    if kind == field.CPPTYPE_UINT32:
        return rng.choice([0, 1, 2**32 - 1, 300])
    if kind == field.CPPTYPE_INT64:
        return rng.choice([0, 1, -1, 2**63 - 1, -2**63, rng.randint(-99, 99)])
    return rng.choice([0, 1, 2**64 - 1, 1700000000000000000])


def fill(rng, message, depth=0):
    for field in message.DESCRIPTOR.fields:
        if field.name in UNUSED or rng.random() < 0.25:
            continue
        is_message = field.cpp_type == field.CPPTYPE_MESSAGE
        if is_message and depth == DEPTH:
            continue
        if field.label == field.LABEL_REPEATED:
            for _ in range(rng.choice([0, 1, 1, 2, 3])):
                if is_message:
                    fill(rng, getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(make_scalar(rng, field))
        elif is_message:
            getattr(message, field.name).SetInParent()
            fill(rng, getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, make_scalar(rng, field))


def rewrite_ids(node, rewrite):
    if isinstance(node, list):
        return [rewrite_ids(item, rewrite) for item in node]
    if isinstance(node, dict):
        return {key: rewrite(value) if key in IDS else rewrite_ids(value, rewrite) for key, value in node.items()}
    return node


def hex_id(text):
    return base64.b64decode(text).hex()


def base64_id(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def convert(to, signal, data):
    return subprocess.run([CONVERT, to, signal], input=data, stdout=subprocess.PIPE, check=True).stdout


def canonical(message):
    # Text, because NaN is not equal to itself.
    return json_format.MessageToJson(message, sort_keys=True)


def check_writing(signal, message):
    """What weir prints is, to protobuf, the message and nothing else; returns the text."""
    text = convert("json", signal, message.SerializeToString())
    assert b"\n" not in text
    parsed = json_format.ParseDict(rewrite_ids(json.loads(text), base64_id), type(message)())
    again = type(message).FromString(convert("protobuf", signal, text))
    assert canonical(again) == canonical(parsed)
    # Members that weir always shows are empty messages, which may be missing from the original.
    assert strip(json_format.MessageToDict(parsed)) == strip(json_format.MessageToDict(message))
    return text


def strip(node):
    """Drops empty objects that are the value of a key of the always-present ones."""
    always = {"resource", "scope", "status", "body", "value", "positive", "negative"}
    if isinstance(node, list):
        return [strip(item) for item in node]
    if isinstance(node, dict):
        return {key: strip(value) for key, value in node.items() if not (key in always and value == {})}
    return repr(node)


def check_reading(rng, signal, message, printed):
    """What protobuf prints, in either case of keys and with enums as names or numbers, is read as the message."""
    raw = message.SerializeToString()
    for snake in (False, True):
        for numbers in (False, True):
            tree = json.loads(json_format.MessageToJson(
                message, preserving_proto_field_name=snake, use_integers_for_enums=numbers))
            text = json.dumps(rewrite_ids(tree, hex_id), ensure_ascii=rng.random() < 0.5,
                              indent=rng.choice([None, 2]))
            wire = convert("protobuf", signal, text.encode())
            assert canonical(type(message).FromString(wire)) == canonical(message)
            assert len(wire) == len(raw), "encoded longer than need be"
            assert convert("json", signal, wire) == printed


def main():
    messages = load_messages()
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        signal = ("traces", "metrics", "logs")[seed % 3]
        message = messages[signal]()
        fill(rng, message)
        try:
            printed = check_writing(signal, message)
            check_reading(rng, signal, message, printed)
        except Exception:
            print(f"seed {seed}, {signal}")
            raise
    print(f"{ROUNDS} requests")


main()
