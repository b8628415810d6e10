# SPDX-License-Identifier: Apache-2.0
"""What documents show as a configuration is one: for weir, and for the schema that editors use."""

import functools
import json
import re
import unittest

import yaml

from weirtest import TestCase, paths, run, validate

try:
    import jsonschema
except ImportError:
    jsonschema = None

SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions", "service")
# What an example may leave out, for its reader has it already.
KNOWN = {"receivers": {"nop": None, "otlp": {"protocols": {"grpc": None}}},
         "exporters": {"nop": None, "debug": None, "otlp_grpc": {"endpoint": "localhost:4317"},
                       "otlp": {"endpoint": "localhost:4317"},
                       "otlp_http": {"endpoint": "http://localhost:4318"}},
         "processors": {"batch": None, "memory_limiter": {"check_interval": "1s", "limit_mib": 100}}}


def blocks(path):
    """YAML in the page: ```yaml blocks, and indented blocks that start with a section."""
    text = path.read_text()
    found = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", plain, re.MULTILINE):
        lines = [line[4:] for line in block.strip("\n").splitlines()]
        if lines and re.match(rf"({'|'.join(SECTIONS)}):", lines[0]):
            found.append("\n".join(lines) + "\n")
    return found


def examples(path):
    """The configurations of the page; other YAML (of Kubernetes, say) has other keys at its top."""
    return [example for example in map(yaml.safe_load, blocks(path)) if set(example) <= set(SECTIONS)]


def complete(example):
    """The example with a pipeline around what it shows."""
    for section in ("receivers", "exporters"):
        example.setdefault(section, {}).setdefault("nop")
    service = example.setdefault("service", {})
    if "extensions" in example:
        service.setdefault("extensions", list(example["extensions"]))
    if "pipelines" not in service:
        service["pipelines"] = {"traces": {
            "receivers": list(example["receivers"]), "processors": list(example.get("processors", {})),
            "exporters": list(example["exporters"])}}
    for pipeline in service["pipelines"].values():
        for section in ("receivers", "exporters"):
            pipeline.setdefault(section, ["nop"])
        for section, ids in pipeline.items():
            for name in ids if section in SECTIONS else []:
                if name not in example.get(section, {}) and name not in example.get("connectors", {}):
                    example.setdefault(section, {})[name] = KNOWN[section][name.split("/")[0]]
    return example


def environment(example):
    """A value for each variable that the example expands without a default."""
    return {name: "value" for name in re.findall(r"\$\{(?:env:)?(\w+)\}", json.dumps(example))}


def readmes():
    return sorted(paths.TOP.glob("plugins/*/*/README.md"))


def pages():
    return [paths.TOP / "README.md", *sorted((paths.TOP / "docs").rglob("*.md"))]


def configurations():
    """Names and contents of all configurations that are in the tree and shown in its pages."""
    for path in readmes() + pages():
        for number, example in enumerate(examples(path)):
            yield f"{path.relative_to(paths.TOP)} {number}", complete(example)
    for path in sorted([*(paths.TOP / "tests" / "configs").glob("*.yaml"), *(paths.TOP / "examples").glob("*.yaml")]):
        yield str(path.relative_to(paths.TOP)), yaml.safe_load(path.read_text())


class TestDocuments(TestCase):
    def assert_loads(self, example):
        done = validate(complete(example), env=environment(example))
        self.assertEqual((done.code, done.stderr), (0, ""))

    def test_readmes_of_plugins(self):
        self.assertTrue(readmes())
        for page in readmes():
            with self.subTest(page=str(page.relative_to(paths.TOP))):
                found = examples(page)
                self.assertTrue(found, "no example")
                name = page.parent.name
                self.assertTrue(any(name in {str(i).split("/")[0] for i in e.get(page.parent.parent.name) or {}}
                                    for e in found), f"no example configures {name}")
                for example in found:
                    self.assert_loads(example)

    def test_pages(self):
        self.assertTrue(any(examples(page) for page in pages()))
        for page in pages():
            for number, example in enumerate(examples(page)):
                with self.subTest(page=str(page.relative_to(paths.TOP)), example=number):
                    self.assert_loads(example)

    def test_migration(self):
        """What is said to be missing is, and every component stands in the table of names."""
        installed = {kind: {name for e in entries for name in [e["name"], *e.get("aliases", [])]}
                     for kind, entries in yaml.safe_load(run("components").stdout).items() if kind in SECTIONS}
        text = (paths.TOP / "docs" / "user" / "migrate.md").read_text()
        _, missing, names = re.split(r"^## (?:Not there yet|Components under all their names)$", text, flags=re.MULTILINE)
        for kind, row in re.findall(r"^\| (\w+s) \| (`.*) \|$", missing, re.MULTILINE):
            self.assertEqual(set(re.findall(r"`(\w+)`", row)) & installed[kind], set())
        told = set(re.findall(r"`(\w+)`", names))
        self.assertEqual(set().union(*installed.values()) - told, set())

    def test_man_page(self):
        text = (paths.TOP / "docs" / "man" / "weir.yaml.5").read_text()
        example = re.search(r"^\.EX\n(.*?)^\.EE", text, re.MULTILINE | re.DOTALL).group(1)
        self.assert_loads(yaml.safe_load(example))

    def test_examples(self):
        found = sorted((paths.TOP / "examples").glob("*.yaml"))
        self.assertTrue(found)
        for path in found:
            with self.subTest(path=path.name):
                self.assertEqual(validate(path.read_text()), (0, ""))

    def test_examples_of_roles_need_no_more_than_the_role(self):
        for role in ("sidecar", "agent", "gateway"):
            with self.subTest(role=role):
                listed = (paths.TOP / "roles" / role).read_text().splitlines()
                config = yaml.safe_load((paths.TOP / "examples" / f"{role}.yaml").read_text())
                used = {f"{section}/{name.split('/')[0]}" for section in SECTIONS if section != "service"
                        for name in config.get(section) or {}}
                self.assertLessEqual(used, set(listed))

    def test_every_plugin_has_a_readme(self):
        for kind, entries in yaml.safe_load(run("components").stdout).items():
            for entry in entries if kind.endswith("s") and kind in SECTIONS else []:
                page = paths.TOP / "plugins" / kind / entry["name"] / "README.md"
                self.assertTrue(page.is_file(), page)

    def test_configs_of_users(self):
        """They lack only plugins that are not here yet, and keys that say themselves that they are refused."""
        refused = re.compile(r": (unknown type: \"|(a sending queue|retrying) is not available in this version: )")
        configs = sorted((paths.TOP / "tests" / "configs").glob("*.yaml"))
        self.assertTrue(configs)
        for path in configs:
            with self.subTest(path=path.name):
                done = run("validate", "--config", path)
                lines = [line for line in done.stderr.splitlines()[1:] if ": warning: " not in line]
                self.assertTrue(lines or done.code == 0)
                self.assertEqual([line for line in lines if not refused.search(line)], [])


@unittest.skipUnless(jsonschema, "needs python3-jsonschema")
class TestSchema(TestCase):
    @staticmethod
    @functools.lru_cache(None)
    def schema():
        text = run("describe", "--format=json-schema").stdout
        schema = json.loads(text)
        jsonschema.Draft202012Validator.check_schema(schema)
        return schema

    def errors(self, config):
        """Paths of what the schema objects to, the innermost of each error."""
        found = jsonschema.Draft202012Validator(self.schema()).iter_errors(config)
        return {"::".join(str(step) for step in jsonschema.exceptions.best_match([e]).absolute_path) for e in found}

    def test_configurations(self):
        """Of the users' own, what is not there yet is unknown to the schema, too."""
        installed = {kind: {n for e in entries for n in [e["name"], *e.get("aliases", [])]}
                     for kind, entries in yaml.safe_load(run("components").stdout).items() if kind in SECTIONS}
        for name, config in configurations():
            with self.subTest(name=name):
                for kind in installed:
                    for key in list(config.get(kind) or {}):
                        if key.split("/")[0] not in installed[kind]:
                            del config[kind][key]
                self.assertEqual(self.errors(config), set())

    def test_effective_configuration(self):
        """Every default that is filled in is allowed."""
        for name, config in configurations():
            if name.startswith("tests/"):
                continue
            with self.subTest(name=name):
                done = run("print-config", "--config", "yaml:" + json.dumps(config), env=environment(config))
                self.assertEqual(done.code, 0, done.stderr)
                self.assertEqual(self.errors(yaml.safe_load(done.stdout)), set())

    def test_mistakes(self):
        right = {"receivers": {"otlp": {"protocols": {"grpc": None}}},
                 "exporters": {"otlp/gw": {"endpoint": "gw:4317", "timeout": "5s", "headers": {"a": "b"}}},
                 "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp/gw"]}}}}
        self.assertEqual(self.errors(right), set())
        mistakes = [("exporters::otlp/gw", {"endpoint": "gw:4317", "tiemout": "5s"}, "exporters::otlp/gw"),
                    ("exporters::otlp/gw::timeout", "5 parsecs", "exporters::otlp/gw::timeout"),
                    ("exporters::otlp/gw::headers", {"a": 1}, "exporters::otlp/gw::headers::a"),
                    ("exporters::otpl", {}, "exporters"),
                    ("receivers::otlp::protocols::grpc", {"max_recv_msg_size_mib": "many"},
                     "receivers::otlp::protocols::grpc::max_recv_msg_size_mib"),
                    ("service::pipelines::spans", {}, "service::pipelines"),
                    ("service::pipelines::traces::ack", "tape", "service::pipelines::traces::ack")]
        for path, value, where in mistakes:
            with self.subTest(path=path):
                config = json.loads(json.dumps(right))
                *parents, last = path.split("::")
                functools.reduce(lambda node, key: node[key] if node[key] else node.setdefault(key, {}), parents,
                                 config)[last] = value
                self.assertEqual(self.errors(config), {where})
