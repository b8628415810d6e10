# SPDX-License-Identifier: Apache-2.0
"""Where configurations come from, and what is said when they are wrong."""

import http.server
import pathlib
import re
import tempfile
import threading

import yaml

from weirtest import TestCase, free_port, run, validate

PIPELINE = "service: {pipelines: {traces: {receivers: [nop], exporters: [nop]}}}\n"
PLAIN = "receivers: {nop: }\nexporters: {nop: }\n" + PIPELINE

TEN_MISTAKES = """\
receivers:
  nop:
  otlp:
    protocols:
      grpc:
        endpoint: localhost:4317
        max_recv_msg_size_mib: many
      htpp:
exporters:
  nop:
  debug:
    verbosity: noisy
  otlp_grpc:
    endpoint: localhost:4317
    timeout: 5 parsecs
    endpoint: localhost:4318
processors:
  batch:
    send_batch_size: 100
    send_batch_max_size: 10
  batsh:
service:
  pipelines:
    traces:
      receivers: [nop, missing]
      processors: [batch]
      exporters: []
    spans:
      receivers: [nop]
      exporters: [nop]
"""
# line:column, path, a part of the message
TEN_ERRORS = [
    ("7:32", "receivers::otlp::protocols::grpc::max_recv_msg_size_mib", "expected type 'int'"),
    ("8:7", "receivers::otlp::protocols", "htpp"),
    ("12:16", "exporters::debug::verbosity", "noisy"),
    ("15:14", "exporters::otlp_grpc::timeout", "5 parsecs"),
    ("16:5", "", "endpoint"),
    ("20:26", "processors::batch", "send_batch_max_size"),
    ("21:3", "processors::batsh", 'did you mean "batch"?'),
    ("25:24", "service::pipelines::traces", 'references receiver "missing" which is not configured'),
    ("24:5", "service::pipelines::traces", "must have at least one exporter"),
    ("28:5", "service::pipelines", "spans"),
]


class ConfigCase(TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def file(self, text, name="config.yaml"):
        path = self.folder() / name
        path.write_text(text)
        return path

    def printed(self, *args, env=None):
        """The effective configuration, without warnings."""
        done = run("print-config", *args, env=env)
        self.assertEqual((done.code, done.stderr), (0, ""))
        return yaml.safe_load(done.stdout)


class TestErrors(ConfigCase):
    def test_all_mistakes_in_one_run(self):
        path = self.file(TEN_MISTAKES)
        done = run("validate", "--config", path)
        self.assertEqual((done.code, done.stdout), (1, ""))
        head, *lines = done.stderr.splitlines()
        self.assertEqual(head, f"Error: invalid configuration: {len(TEN_ERRORS)} errors", done.stderr)
        self.assertEqual(len(lines), len(TEN_ERRORS), done.stderr)
        for place, where, part in TEN_ERRORS:
            found = [line for line in lines if line.startswith(f"{path}:{place}: ") and part in line]
            self.assertEqual(len(found), 1, f"{place} {part} in\n{done.stderr}")
            self.assertTrue(found[0].startswith(f"{path}:{place}: {where}"), found[0])

    def test_run_refuses_too(self):
        path = self.file(TEN_MISTAKES)
        self.assertEqual(run("--config", path), run("validate", "--config", path))

    def test_files_that_cannot_be_read(self):
        folder = self.folder()
        for uri, said in ((folder / "none.yaml", "No such file or directory"), (folder, "Is a directory"),
                          ("file:/dev/full/x", "Not a directory"), ("ftp://x/y", 'unsupported scheme on URI "ftp://x/y"')):
            done = run("validate", "--config", uri)
            self.assertEqual(done.code, 1)
            self.assertIn(said, done.stderr)

    def test_no_yaml(self):
        path = self.file("receivers: [\n")
        done = run("validate", "--config", path)
        self.assertEqual(done.code, 1)
        self.assertIn(f"{path}:2:1: ", done.stderr)

    def test_empty(self):
        done = run("validate", "--config", self.file(""))
        self.assertEqual(done.code, 1)
        self.assertIn("empty configuration file", done.stderr)

    def test_one_mistake_several_files(self):
        """The place is the file that the value came from."""
        first, second = self.file(PLAIN), self.file("exporters: {debug: {verbosity: noisy}}\n", "more.yaml")
        done = run("validate", "--config", first, "--config", second)
        self.assertEqual(done.code, 1)
        self.assertIn(f"{second}:1:32: exporters::debug::verbosity: ", done.stderr)
        self.assertNotIn(str(first), done.stderr)

    def drop_ins(self, **files):
        folder = self.folder()
        for name, text in files.items():
            (folder / name).write_text(text)
        return folder

    def test_folder(self):
        """dir: is all its *.yaml by name, laid over what came before; lists of components grow."""
        main = self.file("receivers: {nop: }\nexporters: {nop: }\nprocessors: {batch: }\nservice:\n  pipelines:\n"
                         "    traces: {receivers: [nop], processors: [batch], exporters: [nop]}\n")
        folder = self.drop_ins(**{
            "20-more.yaml": "exporters: {nop/b: }\nservice::pipelines::traces::exporters: [nop, nop/b]\n"
                            "processors::batch::timeout: 2s\n",
            "10-first.yaml": "exporters: {nop/a: }\nservice::pipelines::traces::exporters: [nop/a]\n"
                             "processors::batch::timeout: 1s\n",
            ".hidden.yaml": "hidden: 1\n", "30-old.yaml.dpkg-old": "old: 1\n", "40.yml": "yml: 1\n",
            "empty.yaml": "", ".yaml": "noname: 1\n"})
        for uri in (f"dir:{folder}", f"dir:{folder}/"):
            shown = self.printed("--config", main, "--config", uri, "--set", "processors.batch.send_batch_size=7")
            self.assertEqual(shown["service"]["pipelines"]["traces"]["exporters"], ["nop", "nop/a", "nop/b"])
            self.assertEqual(shown["processors"]["batch"]["timeout"], "2s")
            self.assertEqual(shown["processors"]["batch"]["send_batch_size"], 7)
        alone = self.printed("--config", f"dir:{folder}", "--config", main)
        self.assertEqual(alone["service"]["pipelines"]["traces"]["exporters"], ["nop"], "a file replaces lists")

    def test_mistakes_in_a_folder(self):
        folder = self.drop_ins(**{"a.yaml": PLAIN, "b.yaml": "# b\nexporters: {debug: {verbosity: noisy}}\n"})
        done = run("validate", "--config", f"dir:{folder}")
        self.assertEqual(done.code, 1)
        self.assertIn(f"\n{folder}/b.yaml:2:32: exporters::debug::verbosity: ", done.stderr)
        (folder / "b.yaml").unlink()
        self.assertEqual(run("validate", "--config", f"dir:{folder}"), (0, "", ""))
        (folder / "a.yaml").unlink()
        done = run("validate", "--config", f"dir:{folder}")
        self.assertEqual(done.code, 1)
        self.assertIn("empty configuration file", done.stderr)
        self.assertEqual(run("validate", "--config", self.file(PLAIN), "--config", f"dir:{folder}"), (0, "", ""))
        (folder / "c.yaml").mkdir()
        done = run("validate", "--config", self.file(PLAIN), "--config", f"dir:{folder}")
        self.assertEqual(done.code, 1)
        self.assertIn(f"unable to read the file file:{folder}/c.yaml: Is a directory", done.stderr)

    def test_unsupported_signal(self):
        """The file exporter takes no profiles: said once, however many receivers there are."""
        done = validate("receivers: {nop: , nop/2: }\nexporters: {file: {path: out.json}}\nservice: {pipelines: "
                        "{profiles: {receivers: [nop, nop/2], exporters: [file]}}}\n",
                        args=["--feature-gates", "service.profilesSupport"])
        self.assertEqual(done.code, 1)
        self.assertEqual(done.stderr.count('failed to create "file" exporter for data type "profiles": '
                                           "telemetry type is not supported"), 1, done.stderr)

    def test_connector_on_one_side(self):
        done = validate("receivers: {nop: }\nexporters: {nop: }\nconnectors: {forward: }\nservice: {pipelines: "
                        "{traces: {receivers: [nop], exporters: [nop, forward]}}}\n")
        self.assertEqual(done.code, 1)
        self.assertIn('connector "forward" used as exporter in [traces] pipeline but not used in any supported '
                      "receiver pipeline", done.stderr)

    def test_cycle(self):
        done = validate("receivers: {nop: }\nexporters: {nop: }\nconnectors: {forward: }\nprocessors: {batch: }\n"
                        "service: {pipelines: {traces: {receivers: [nop, forward], processors: [batch], "
                        "exporters: [nop, forward]}}}\n")
        self.assertEqual(done.code, 1)
        self.assertIn('cycle detected: connector "forward" (traces to traces) -> processor "batch" in pipeline '
                      '"traces" -> connector "forward" (traces to traces)', done.stderr)


class TestSources(ConfigCase):
    def test_merge_and_set(self):
        first = self.file("receivers: {nop: }\nexporters: {debug: {verbosity: basic}}\n" +
                          PIPELINE.replace("exporters: [nop]", "exporters: [debug]"))
        second = self.file("exporters: {debug: {verbosity: detailed, sampling_initial: 7}}\n", "second.yaml")
        document = self.printed("--config", first, "--config", second, "--set", "exporters.debug.sampling_initial=9")
        self.assertEqual(document["exporters"]["debug"]["verbosity"].lower(), "detailed")
        self.assertEqual(document["exporters"]["debug"]["sampling_initial"], 9)
        document = self.printed("--config", second, "--config", first)
        self.assertEqual(document["exporters"]["debug"]["verbosity"].lower(), "basic")

    def test_schemes(self):
        document = self.printed("--config", "env:WEIR_TEST_CONFIG", "--config",
                                "yaml:exporters::debug::sampling_initial: 3", env={"WEIR_TEST_CONFIG": PLAIN})
        self.assertEqual(document["exporters"]["debug"]["sampling_initial"], 3)
        self.assertEqual(run("validate", "--config", f"file:{self.file(PLAIN)}"), (0, "", ""))

    def test_bad_set(self):
        done = run("validate", "--config", self.file(PLAIN), "--set", "service.telemetry")
        self.assertEqual(done.code, 1)
        self.assertIn("--set service.telemetry: missing equal sign", done.stderr)
        done = run("validate", "--config", self.file(PLAIN), "--set", "service.telemetri.logs.level=info")
        self.assertEqual(done.code, 1)
        self.assertIn('did you mean "telemetry"?', done.stderr)

    def test_environment(self):
        path = self.file("receivers: {nop: }\nexporters:\n  debug:\n    verbosity: ${env:WEIR_T_WORD}\n"
                         "    sampling_initial: ${WEIR_T_NUMBER}\n    sampling_thereafter: ${env:WEIR_T_NONE:-12}\n"
                         "  otlp_http:\n    endpoint: http://${env:WEIR_T_HOST}:4318\n    headers:\n      a: $$x\n" +
                         PIPELINE.replace("exporters: [nop]", "exporters: [debug]"))
        document = self.printed("--mode=unredacted", "--config", path, env={
            "WEIR_T_WORD": "detailed", "WEIR_T_NUMBER": "5", "WEIR_T_HOST": "h"})
        debug, http_out = document["exporters"]["debug"], document["exporters"]["otlp_http"]
        self.assertEqual((debug["verbosity"].lower(), debug["sampling_initial"], debug["sampling_thereafter"]),
                         ("detailed", 5, 12))
        self.assertEqual((http_out["endpoint"], http_out["headers"]), ("http://h:4318", {"a": "$x"}))

    def test_unset_variable_is_a_warning(self):
        path = self.file(PLAIN.replace("exporters: {nop: }", "exporters: {nop: , otlp_http: {endpoint: "
                                       '"http://h:1", headers: {a: "${env:WEIR_T_UNSET}"}}}'))
        done = run("validate", "--config", path)
        self.assertEqual((done.code, done.stdout), (0, ""))
        self.assertRegex(done.stderr, re.escape(f"{path}:2:") + r"\d+: warning: exporters::otlp_http::headers::a: "
                         r'Configuration references unset environment variable "WEIR_T_UNSET"\n')


class ConfigServer:
    """An HTTP server that answers /ok with a configuration, other names with others, the rest with 404."""

    def __init__(self, text):
        pages = {"/ok": text, "/wrong": "exporters: {debug: {verbosity: noisy}}", "/exporters": "{nop: }",
                 "/long": "#" * 70000}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = pages.get(self.path, "no such thing").encode()
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class TestHttp(ConfigCase):
    def setUp(self):
        self.server = self.managed(ConfigServer(PLAIN))

    def url(self, path):
        return f"http://127.0.0.1:{self.server.port}{path}"

    def test_ok(self):
        for command in ("validate", "print-config"):
            done = run(command, "--config", self.url("/ok"))
            self.assertEqual((done.code, done.stderr), (0, ""))

    def test_part(self):
        """A value that is fetched, beside others that are not."""
        path = self.file("receivers: {nop: }\nexporters: ${%s}\n" % self.url("/exporters") + PIPELINE)
        self.assertEqual(run("validate", "--config", path), (0, "", ""))

    def test_place_of_a_mistake(self):
        done = run("validate", "--config", self.url("/ok"), "--config", self.url("/wrong"))
        self.assertEqual(done.code, 1)
        self.assertIn(f"{self.url('/wrong')}:1:32: exporters::debug::verbosity: ", done.stderr)

    def test_not_found(self):
        done = run("validate", "--config", self.url("/none"))
        self.assertEqual((done.code, done.stdout), (1, ""))
        self.assertIn(f'failed to load resource from uri "{self.url("/none")}". status code: 404', done.stderr)

    def test_too_long(self):
        done = run("validate", "--config", self.url("/long"))
        self.assertEqual(done.code, 1)
        self.assertIn("the answer has more than 65536 bytes", done.stderr)

    def test_refused(self):
        url = f"http://127.0.0.1:{free_port()}/ok"
        done = run("validate", "--config", url)
        self.assertEqual(done.code, 1)
        self.assertIn(f'unable to download the file via HTTP GET for uri "{url}": ', done.stderr)
        self.assertIn("refused", done.stderr)

    def test_running_with_it(self):
        text = PLAIN.replace("service: {", "service: {telemetry: {metrics: {level: none}}, ")
        server = self.managed(ConfigServer(text))
        weir = self.weir("", args=["--config", f"http://127.0.0.1:{server.port}/ok", "--workers", "2"])
        self.stop_cleanly(weir)
