# SPDX-License-Identifier: Apache-2.0
"""Configurations made up: by the grammar of all options of the installed components, and by damage to texts."""

import json
import re

from weirtest import run

KINDS = ("receivers", "processors", "exporters", "connectors", "extensions")
SIGNALS = ("traces", "metrics", "logs")
DURATIONS = ("0s", "1ms", "250ms", "1s", "1m30s", "2h")
WORDS = ("", "a", "k8s.pod.name", "x y", "ä€𐍈", "[a-z]+", "true", "0x1f", "~", "- a", "a: b", "#", "*x", "'",
         '"')
# What a component cannot do without, laid over what the grammar makes.
NEEDED = {
    "otlp": {"protocols": {"grpc": {"endpoint": "127.0.0.1:0", "transport": "tcp"},
                           "http": {"endpoint": "127.0.0.1:0", "transport": "tcp"}}},
    "otlp_grpc": {"endpoint": "127.0.0.1:9", "tls": {"insecure": True}},
    "otlp_http": {"endpoint": "http://127.0.0.1:9"},
    "file": {"path": "./out"},
    "memory_limiter": {"check_interval": "1s", "limit_mib": 500, "spike_limit_mib": 100},
    "resource": {"attributes": [{"key": "a", "value": 1, "action": "upsert"}]},
    "attributes": {"actions": [{"key": "a", "action": "delete"}]},
    "health_check": {"endpoint": "127.0.0.1:0", "transport": "tcp"},
    "file_storage": {"directory": ".", "directory_permissions": "0700"},
    "headers_setter": {"headers": [{"key": "a", "value": "b", "action": "insert"}]},
    "bearertokenauth": {"token": "t"},
    "basicauth": {"htpasswd": {"inline": "a:b"}},
}
# What needs files, names or other components.
DELICATE = {"additional_auth", "auth", "client_auth", "dialer", "exclude", "filename", "group_by", "include",
            "middlewares", "output_paths", "proxy_url", "rotation", "storage", "tls", "traces_endpoint",
            "metrics_endpoint", "logs_endpoint", "profiles_endpoint"}
ENDPOINTS = ("127.0.0.1:0", "localhost:4317", "http://h:1/p", "unix:///x", "[::1]:70000", ":")
EXTREMES = (0, -1, 1, 2**31, 2**63, -2**63, 2**64, 1e400, 0.1, float("nan"), True, None, [], {}, [{}], "",
            "x" * 5000, "${env:WEIR_NO_SUCH}", "${", "${yaml:[1, {a: b}]}", "\u0085\x7f",
            "${file:/etc/passwd}")


def components():
    """{kind in the plural: {name: JSON schema}} of all that is installed."""
    found, kind = {}, None
    for line in run("components").stdout.splitlines():
        if match := re.fullmatch(r"([a-z]+):", line):
            kind = match[1]
        elif (match := re.match(r"  - name: (\S+)", line)) and kind in KINDS:
            schema = run("describe", kind[:-1], match[1], "--format", "json-schema")
            found.setdefault(kind, {})[match[1]] = json.loads(schema.stdout)
    return found


def lay_over(tree, needed):
    """`tree` with everything of `needed`."""
    if not isinstance(tree, dict) or not isinstance(needed, dict):
        return needed
    return {**tree, **{key: lay_over(tree.get(key), part) for key, part in needed.items()}}


class Grammar:
    """Trees by the schemas, partly wrong on purpose. `sane`: mostly right, and startable on every machine."""

    def __init__(self, random, schemas, sane=False):
        self.random = random
        self.schemas = schemas
        self.sane = sane

    def wrong(self):
        return not self.sane and self.random.random() < 0.03

    def value(self, schema, key, root, depth=0):
        random = self.random
        if self.wrong():
            return random.choice(EXTREMES)
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            first, *others = schema["anyOf"]
            chosen = first if self.sane or random.random() < 0.8 else random.choice(others or [first])
            return self.value({"default": schema.get("default"), **chosen}, key, root, depth)
        if "enum" in schema:
            return random.choice(schema["enum"])
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        return getattr(self, kind)(schema, key, root, depth)

    def object(self, schema, key, root, depth):
        made = {}
        for name, part in schema.get("properties", {}).items():
            needed = name in schema.get("required", ())
            if self.sane and (part.get("deprecated") or name in DELICATE) or self.wrong():
                continue
            if needed or self.random.random() < (0.3 if depth < 4 else 0.1):
                value = self.value(part, name, root, depth + 1)
                if value is not None or not self.sane:
                    made[name] = value
        if isinstance(schema.get("additionalProperties"), dict):
            for number in range(self.random.randrange(3)):
                made[f"x-{number}"] = self.value(schema["additionalProperties"], "", root, depth + 1)
        if self.wrong():
            name = self.random.choice(("nonsense", "enabledd", "", "tls", "timeout"))
            made[name] = self.random.choice(EXTREMES)
        return made

    def array(self, schema, key, root, depth):
        return [self.value(schema["items"], key, root, depth + 1) for _ in range(self.random.randrange(3))]

    def string(self, schema, key, root, depth):
        if "pattern" in schema:
            return self.random.choice(DURATIONS)
        if self.sane:
            return schema.get("default") or None
        if key == "endpoint":
            return self.random.choice(ENDPOINTS)
        return self.random.choice(WORDS)

    def integer(self, schema, key, root, depth):
        low, high = schema.get("minimum", 0), schema.get("maximum", 1 << 20)
        return self.random.choice((low, high, min(high, max(low, 1000)), schema.get("default") or low))

    def number(self, schema, key, root, depth):
        return self.random.choice((0.5, 1, schema.get("default") or 0))

    def boolean(self, schema, key, root, depth):
        return self.random.random() < 0.5

    def null(self, schema, key, root, depth):
        return None

    def named(self, kind, least, most):
        """{id: options} of some components of a kind."""
        names = sorted(self.schemas.get(kind, ()))
        made = {}
        for _ in range(self.random.randint(least, most)):
            name = self.random.choice(names)
            schema = self.schemas[kind][name]
            options = self.value(schema, "", schema)
            if self.sane or self.random.random() < 0.2:
                options = lay_over(options, NEEDED.get(name, {}))
            made[name + self.random.choice(("", "/a", "/2"))] = options
        return made

    def some(self, ids):
        chosen = [i for i in ids if self.random.random() < 0.6] or ids[:1]
        if self.wrong():
            return chosen + [self.random.choice(("otlp/zz", "", "nop", 1, chosen))]
        return chosen

    def pipelines(self, ids):
        made = {}
        for signal in SIGNALS:
            if self.random.random() < 0.7 or signal == "traces":
                ends = [self.some(ids["receivers"]), self.some(ids["exporters"])]
                if ids["connectors"] and self.random.random() < 0.3:
                    connector = self.random.choice(ids["connectors"])
                    made[f"{signal}/behind"] = {"receivers": [connector], "exporters": ends[1]}
                    ends[1] = [connector]
                made[signal + self.random.choice(("", "/b"))] = {
                    "receivers": ends[0], "processors": self.some(ids["processors"]), "exporters": ends[1]}
        return made

    def tree(self):
        made = {kind: self.named(kind, kind in ("receivers", "exporters"), 2) for kind in KINDS}
        ids = {kind: list(made[kind]) for kind in KINDS}
        made["service"] = {"extensions": self.some(ids["extensions"]), "pipelines": self.pipelines(ids),
                           "telemetry": {"metrics": {"level": "none"}}}
        return {key: part for key, part in made.items() if part or self.random.random() < 0.5}


# --- YAML in many styles ---

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*\Z")
_NOT_PLAIN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def scalar(random, value):
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    if not isinstance(value, str):
        return repr(value) if value == value and abs(value) < 1e300 else ".inf"
    style = random.random()
    if style < 0.6 and _PLAIN.match(value) and value.lower() not in _NOT_PLAIN:
        return value
    if style < 0.8 and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=style < 0.9)


def flow(random, tree):
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{scalar(random, k)}: {flow(random, v)}" for k, v in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(flow(random, item) for item in tree) + "]"
    return scalar(random, tree)


def block(random, tree, indent=0):
    """Lines of block style, with flow style here and there."""
    pad = " " * indent
    for name, value in tree.items():
        if isinstance(value, dict) and value and random.random() < 0.85:
            yield f"{pad}{scalar(random, name)}:"
            yield from block(random, value, indent + random.choice((1, 2, 2, 2, 4)))
        else:
            yield f"{pad}{scalar(random, name)}: {flow(random, value)}"


def text(random, tree):
    return "\n".join(block(random, tree)) + "\n"


# --- damage ---

TOKENS = [t.encode() for t in (
    ":", ": ", "- ", "? ", "\t", "\n", "\r\n", "  ", "#", " #", "*a", "&a ", "<<: *a", "!!binary ", "!!str ", "!x ",
    "|\n", ">-\n", "%YAML 1.2\n", "---\n", "...\n", "{", "}", "[", "]", ",", "'", '"', "\\", "${env:X}", "${",
    "${yaml:a: b}", "$$", "~", "null", "0x", "1e999", "-9223372036854775809", "::", "/", "\u2028", "\ufeff",
    "service", "pipelines", "a" * 300,
    "[" * 90, "- " * 90)] + [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x01", b"\x85"]


def damage(random, data, others):
    """Bytes with a few places changed; `others`: texts that pieces are taken from."""
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        at = random.randrange(len(data) + 1)
        length = random.choice((1, 1, 2, 8, 40))
        what = random.randrange(6)
        if what == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif what == 1:
            del data[at:at + length]
        elif what == 2:
            data[at:at] = random.choice(TOKENS)
        elif what == 3:
            data[at:at + length] = random.choice(TOKENS)
        elif what == 4:
            data[at:at] = data[at:at + length * 4]
        else:
            other = random.choice(others)
            start = random.randrange(len(other) + 1)
            data[at:at + length] = other[start:start + length * 4]
    return bytes(data).replace(b"\0", b"0")
