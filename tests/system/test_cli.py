# SPDX-License-Identifier: Apache-2.0
"""The command line: subcommands, options, exit codes."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import yaml

from weirtest import TestCase, paths, run

KINDS = ("receivers", "processors", "exporters", "connectors", "extensions")
CONFIG = """\
receivers: {nop: }
exporters: {nop: }
service:
  pipelines:
    traces: {receivers: [nop], exporters: [nop]}
"""
SECRETS = """\
receivers: {nop: }
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:9
    timeout: 5s
    headers: {authorization: Bearer hunter2}
service:
  pipelines:
    traces: {receivers: [nop], exporters: [otlp_http]}
"""


def components():
    return yaml.safe_load(run("components").stdout)


def each_component():
    for kind, entries in components().items():
        if kind in KINDS:
            for entry in entries:
                yield kind, entry


class Cli(TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def config(self, text, name="config.yaml"):
        path = self.folder() / name
        path.write_text(text)
        return path

    def assert_usage(self, done, *words):
        """Exit code 2, nothing on stdout, an error with these words that points to --help."""
        self.assertEqual(done.code, 2, done)
        self.assertEqual(done.stdout, "")
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertTrue(done.stderr.endswith('Run "weir --help" for usage.\n'), done.stderr)


class TestBasics(Cli):
    def test_version(self):
        for args in (["--version"], ["-v"], ["version"]):
            done = run(*args)
            self.assertEqual(done.code, 0)
            self.assertRegex(done.stdout, r"\Aweir version \d+\.\d+\.\d+\n\Z")
            self.assertEqual(done.stderr, "")

    def test_help(self):
        texts = {run(*args).stdout for args in (["--help"], ["-h"], ["help"])}
        self.assertEqual(len(texts), 1)
        text = texts.pop()
        self.assertTrue(text.startswith("Usage: weir [COMMAND] [OPTION]...\n"))
        self.assertLessEqual(max(map(len, text.splitlines())), 100)

    def test_wrong_usage(self):
        self.assert_usage(run("--nonsense"), "--nonsense")
        self.assert_usage(run("-config", "x"), "invalid option")
        self.assert_usage(run("--config"), "--config", "requires an argument")
        self.assert_usage(run("frobnicate"), 'unknown command: "frobnicate"')
        self.assert_usage(run("validate", "more"), 'unexpected argument: "more"')
        self.assert_usage(run("--workers", "0"), "--workers takes a number from 1 to 1024")
        self.assert_usage(run("--workers", "two"), '"two"')
        self.assert_usage(run("--drain-timeout", "soon"), "--drain-timeout takes a duration")
        self.assert_usage(run("--watchdog", "1s"), "--watchdog takes 0 or a duration of 2s or more")
        self.assert_usage(run("--validate=perhaps"), "--validate takes true or false")
        self.assert_usage(run("describe"), "describe takes a kind and a type")
        self.assert_usage(run("describe", "thing", "otlp"), '"thing" is no kind of component')
        self.assert_usage(run("describe", "exporter", "nop", "--format=pdf"), 'invalid format "pdf"')
        self.assert_usage(run("--feature-gates", "no.such"), 'no such feature gate "no.such"',
                          "valid gates: [confmap.enableMergeAppendOption ")

    def test_without_config(self):
        for command in ([], ["run"], ["validate"], ["print-config"]):
            done = run(*command)
            self.assertEqual((done.code, done.stdout), (1, ""))
            self.assertEqual(done.stderr, "Error: at least one config flag must be provided\n")

    def test_validate(self):
        done = run("validate", "--config", self.config(CONFIG))
        self.assertEqual(done, (0, "", ""))
        done = run("validate", "--config", self.config(CONFIG.replace("exporters: [nop]", "exporters: [no]")))
        self.assertEqual((done.code, done.stdout), (1, ""))
        self.assertIn("Error: invalid configuration: 1 error\n", done.stderr)
        self.assertIn('references exporter "no" which is not configured', done.stderr)

    def test_validate_opens_nothing(self):
        """An address that is taken, a destination that is not there: nothing of it matters."""
        config = self.config("""\
receivers: {otlp: {protocols: {grpc: {endpoint: "192.0.2.1:4317"}}}}
exporters: {file: {path: %s}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
""" % (self.folder() / "out.json"))
        self.assertEqual(run("validate", "--config", config), (0, "", ""))
        self.assertFalse((config.parent / "out.json").exists())

    def test_missing_plugin_names_package_and_folder(self):
        folder = self.folder()
        config = self.config(CONFIG.replace("exporters: {nop: }", "exporters: {nop: , lokki: }"))
        done = run("validate", "--config", config, "--plugin-dir", folder)
        self.assertEqual(done.code, 1)
        self.assertIn(f'{config}:2:20: exporters::lokki: unknown type: "lokki" (valid values: [', done.stderr)
        self.assertIn(f"a plugin is the file exporters/lokki.so in {folder} or ", done.stderr)
        self.assertIn('from the Debian package weir-exporter-lokki (for id: "lokki")', done.stderr)

    def test_broken_plugin(self):
        """A file that is no plugin is a sentence, in a configuration, in `components`, in `describe`."""
        folder = self.folder()
        (folder / "exporters").mkdir()
        (folder / "exporters" / "torn.so").write_bytes(b"\x7fELF and no more")
        said = f"{folder}/exporters/torn.so: is cut off inside its header: install the plugin's package again"
        config = self.config(CONFIG.replace("exporters: {nop: }", "exporters: {nop: , torn: }"))
        done = run("validate", "--config", config, "--plugin-dir", folder)
        self.assertEqual(done.code, 1)
        self.assertIn(said, done.stderr)
        done = run("components", "--plugin-dir", folder)
        self.assertEqual((done.code, done.stderr), (0, f"Warning: {said}\n"))
        done = run("describe", "exporter", "torn", "--plugin-dir", folder)
        self.assertEqual(done, (1, "", f"Error: {said}\n"))


class TestComponents(Cli):
    def test_lists_what_is_installed(self):
        done = run("components")
        self.assertEqual((done.code, done.stderr), (0, ""))
        document = yaml.safe_load(done.stdout)
        self.assertEqual(document["buildinfo"]["command"], "weir")
        self.assertEqual([p["scheme"] for p in document["providers"]], ["env", "file", "http", "https", "yaml"])
        for kind in KINDS:
            names = [entry["name"] for entry in document.get(kind, [])]
            self.assertEqual(names, sorted(names))
        installed = {(p.parent.name, p.stem) for folder in paths.BUILD.glob("plugins-*")
                     for p in folder.glob("*/*.so") if p.name == pathlib.Path(p.readlink()).name}
        self.assertEqual({(kind, entry["name"]) for kind, entry in each_component()}, installed)

    def test_entries_are_complete(self):
        levels = {"Unmaintained", "Deprecated", "Development", "Alpha", "Beta", "Stable"}
        for kind, entry in each_component():
            with self.subTest(kind=kind, name=entry["name"]):
                self.assertRegex(entry["summary"], r"^[A-Z].*\.$")
                self.assertRegex(entry["version"], r"^\d+\.\d+\.\d+$")
                self.assertTrue(pathlib.Path(entry["module"]).is_file())
                self.assertTrue(entry["stability"])
                self.assertLessEqual(set(entry["stability"].values()), levels)

    def test_aliases_are_links(self):
        found = {kind: {e["name"]: e.get("aliases") for e in entries}
                 for kind, entries in components().items() if kind in KINDS}
        self.assertEqual(found["exporters"]["otlp_grpc"], ["otlp"])
        self.assertEqual(found["exporters"]["otlp_http"], ["otlphttp"])
        self.assertEqual(found["exporters"]["debug"], ["logging"])


class TestDescribe(Cli):
    def test_every_component_in_every_format(self):
        for kind, entry in each_component():
            for form in ("text", "markdown", "json-schema", "yaml"):
                with self.subTest(kind=kind, name=entry["name"], form=form):
                    done = run("describe", kind[:-1], entry["name"], f"--format={form}")
                    self.assertEqual((done.code, done.stderr), (0, ""))
                    self.assertTrue(done.stdout.endswith("\n"))
                    if form == "json-schema":
                        self.assertIn("$schema", json.loads(done.stdout))
                    elif form == "yaml":
                        yaml.safe_load(done.stdout)

    def test_by_alias_and_plural(self):
        self.assertEqual(run("describe", "exporters", "otlp").stdout, run("describe", "exporter", "otlp_grpc").stdout)

    def test_text_is_the_default(self):
        text = run("describe", "exporter", "otlp_grpc").stdout
        self.assertEqual(text, run("describe", "exporter", "otlp_grpc", "--format", "text").stdout)
        self.assertIn("\n  endpoint (string)\n", text)

    def test_unknown_type(self):
        done = run("describe", "exporter", "otlp_grcp")
        self.assertEqual((done.code, done.stdout), (1, ""))
        self.assertIn('did you mean "otlp_grpc"?', done.stderr)


class TestPrintConfig(Cli):
    def test_secrets_are_masked(self):
        config = self.config(SECRETS)
        done = run("print-config", "--config", config)
        self.assertEqual((done.code, done.stderr), (0, ""))
        self.assertNotIn("hunter2", done.stdout)
        headers = yaml.safe_load(done.stdout)["exporters"]["otlp_http"]["headers"]
        self.assertEqual(headers, {"authorization": "[REDACTED]"})
        shown = run("print-config", "--config", config, "--mode=unredacted")
        headers = yaml.safe_load(shown.stdout)["exporters"]["otlp_http"]["headers"]
        self.assertEqual(headers, {"authorization": "Bearer hunter2"})

    def test_defaults_are_filled_in(self):
        document = yaml.safe_load(run("print-config", "--config", self.config(SECRETS)).stdout)
        self.assertEqual(document["exporters"]["otlp_http"]["compression"], "gzip")
        self.assertEqual(document["exporters"]["otlp_http"]["timeout"], "5s")
        self.assertEqual(document["service"]["telemetry"]["metrics"]["level"], "normal")
        self.assertEqual(document["service"]["pipelines"]["traces"]["receivers"], ["nop"])

    def test_json(self):
        done = run("print-config", "--format", "json", "--config", self.config(SECRETS))
        self.assertEqual(json.loads(done.stdout)["exporters"]["otlp_http"]["timeout"], 5_000_000_000)
        self.assertIn('\n  "exporters": {', done.stdout)

    def test_output_loads_again(self):
        first = run("print-config", "--config", self.config(SECRETS), "--mode", "unredacted").stdout
        again = self.config(first)
        self.assertEqual(run("validate", "--config", again), (0, "", ""))
        self.assertEqual(run("print-config", "--config", again, "--mode", "unredacted").stdout, first)

    def test_old_name(self):
        config = self.config(CONFIG)
        self.assertEqual(run("print-initial-config", "--config", config), run("print-config", "--config", config))

    def test_wrong_configuration(self):
        config = self.config(SECRETS.replace("timeout: 5s", "timeuot: 5s"))
        done = run("print-config", "--config", config)
        self.assertEqual((done.code, done.stdout), (1, ""))
        self.assertIn("Error: invalid configuration: 1 error\n", done.stderr)
        done = run("print-config", "--config", config, "--validate=false")
        self.assertEqual(done.code, 0)
        self.assertNotIn("hunter2", done.stdout)
        self.assertIn("exporters", yaml.safe_load(done.stdout))

    def test_missing_plugin(self):
        """One error for the missing plugin, none for its keys; its keys may be secret, so none is shown."""
        config = self.config(SECRETS.replace("otlp_http", "otlp_htpt"))
        done = run("print-config", "--config", config)
        self.assertEqual((done.code, done.stdout), (1, ""))
        self.assertIn("Error: invalid configuration: 1 error\n", done.stderr)
        done = run("print-config", "--config", config, "--validate=false")
        self.assertEqual(done.code, 0)
        self.assertIsNone(yaml.safe_load(done.stdout)["exporters"]["otlp_htpt"])

    def test_wrong_options(self):
        config = self.config(CONFIG)
        self.assert_usage(run("print-config", "--config", config, "--mode", "x"), 'invalid mode "x"')
        self.assert_usage(run("print-config", "--config", config, "--format", "x"), 'invalid format "x"')


class TestFeatureGates(Cli):
    def test_table(self):
        lines = run("featuregate").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["ID", "Enabled", "Stage", "Description"])
        rows = {line.split()[0]: line.split()[1:3] for line in lines[1:]}
        self.assertEqual(rows["service.AllowNoPipelines"], ["false", "Alpha"])
        self.assertEqual(rows["service.partialReloadReceivers"], ["true", "Beta"])
        self.assertEqual(list(rows), sorted(rows))

    def test_one(self):
        done = run("featuregate", "service.profilesSupport", "--feature-gates", "service.profilesSupport")
        self.assertEqual(done.stdout.splitlines()[:3],
                         ["Feature: service.profilesSupport", "Enabled: true", "Stage: Alpha"])
        done = run("featuregate", "no.such")
        self.assertEqual(done, (1, "", 'Error: feature "no.such" not found\n'))

    def test_takes_effect(self):
        config = self.config("receivers: {nop: }\nexporters: {nop: }\nservice: {pipelines: {profiles: "
                             "{receivers: [nop], exporters: [nop]}}}\n")
        self.assertEqual(run("validate", "--config", config).code, 1)
        for gates in ("service.profilesSupport", "+service.profilesSupport", "-service.AllowNoPipelines,"
                      "service.profilesSupport"):
            done = run("validate", "--config", config, "--feature-gates", gates)
            self.assertEqual(done, (0, "", ""), gates)


class TestManPage(Cli):
    PAGE = paths.TOP / "docs" / "man" / "weir.1"

    def plain(self):
        text = self.PAGE.read_text()
        text = re.sub(r"\\f[BIRP]", "", text)
        return text.replace(r"\-", "-").replace(r"\(aq", "'").replace(r"\(dq", '"')

    def test_says_what_help_says(self):
        """Every command and option of --help has its paragraph in the man page, and the other way round."""
        shown = run("--help").stdout
        commands = set(re.findall(r"^  ([a-z-]+) ", shown.split("Options:")[0], re.MULTILINE))
        options = set(re.findall(r"(--[a-z-]+)", shown))
        page = self.plain()
        heads = [line for line in page.splitlines() if re.match(r"\.(B|BR|BI|IR|I|TP|SS)\b", line)]
        self.assertEqual(options - set(re.findall(r"(--[a-z-]+)", "\n".join(heads))), set())
        self.assertEqual(set(re.findall(r"(--[a-z-]+)", "\n".join(heads))) - options, set())
        section = page.split('.SH COMMANDS')[1].split(".SH ")[0]
        self.assertEqual(set(re.findall(r"^\.BR? ([a-z-]+)", section, re.MULTILINE)), commands)

    def test_is_well_formed(self):
        for tool in (["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"], ["mandoc", "-T", "lint", "-W", "warning"]):
            if not shutil.which(tool[0]):
                continue
            done = subprocess.run([*tool, str(self.PAGE)], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), tool)
