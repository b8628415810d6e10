# SPDX-License-Identifier: Apache-2.0
"""What a reload leaves alone, and what becomes of what a component held that is replaced or taken out."""

import json
import os
import pathlib
import signal
import tempfile
import threading
import time

import yaml

from weirtest import TestCase, free_port, messages, rawhttp, rpc, wait_for
from weirtest.ledger import Ledger
from weirtest.messages import http_path
from weirtest.weir import run

LONG = "60s"  # longer than any test waits


class State(TestCase):
    """otlp, batch and otlp_grpc for traces, with parts to change: self.text is the configuration as it runs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.state.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.grpc, self.http, self.backend = free_port(), free_port(), free_port()
        self.config = {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc}"},
                                                 "http": {"endpoint": f"127.0.0.1:{self.http}"}}}},
            "processors": {"batch": {"timeout": LONG}},
            "exporters": {"otlp_grpc": self.exporter(self.backend)},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {"traces": self.pipeline()}},
        }

    def exporter(self, port, **more):
        return {"endpoint": f"127.0.0.1:{port}", "tls": {"insecure": True},
                "retry_on_failure": {"initial_interval": "20ms", "max_interval": "100ms"}, **more}

    def pipeline(self, processors=("batch",), exporters=("otlp_grpc",)):
        return {"receivers": ["otlp"], "processors": list(processors), "exporters": list(exporters)}

    def unbatched(self):
        del self.config["processors"]
        self.config["service"]["pipelines"]["traces"] = self.pipeline(())

    def start(self, *args):
        self.weir_ = self.weir(self.config, args=["--workers", "2", *args])
        self.sender = self.managed(rpc.Sender(self.grpc))
        return self.weir_

    def sink(self, port=None):
        return self.managed(rpc.Sink(port=self.backend if port is None else port))

    def send(self, count, signal="traces"):
        self.assertEqual(self.sender.export(signal, messages.simple(signal, count)).code, "OK")

    def reload(self, started, stopped):
        (self.weir_.folder / "config.yaml").write_text(yaml.safe_dump(self.config))
        done = run("reload", self.weir_.pid)
        self.assertEqual(done.code, 0, done.stderr)
        plural = "" if started == 1 else "s"
        self.assertEqual(done.stdout, f"reloaded: {started} component instance{plural} started, {stopped} stopped\n")

    def stop(self, dropped=0):
        """The traces' rows by kind and id; `dropped` in all of them together."""
        ledger = self.stop_cleanly(self.weir_)
        self.assertEqual(sum(row["dropped"] for row in ledger.rows), dropped, ledger.rows)
        return {(row["kind"], row["id"]): row for row in ledger.rows if row["signal"] == "traces"}


class TestUnchanged(State):
    def test_connections(self):
        """Those of a receiver that stays, while all behind it is replaced."""
        sink, other = self.sink(), self.sink(0)
        self.start()
        request = rawhttp.encode("POST", http_path("traces"), {"Content-Type": "application/x-protobuf"},
                                 messages.simple("traces", 1).SerializeToString())
        with rawhttp.Connection(self.http) as connection:
            for timeout, to in (("10ms", other), ("20ms", sink)):
                connection.send(request)
                self.assertEqual(connection.receive().status, 200)
                self.config["processors"]["batch"]["timeout"] = timeout
                self.config["exporters"]["otlp_grpc"]["endpoint"] = f"127.0.0.1:{to.port}"
                self.reload(2, 2)
            connection.send(request)
            answer = connection.receive()
            self.assertEqual((answer.status, answer.headers.get("connection")), (200, None))
        wait_for(lambda: sink.count("traces") + other.count("traces") == 3, 10, "all three arrive")
        self.stop()

    def test_pending_batch(self):
        """It goes to the exporter that is there when it is full."""
        sink, other = self.sink(), self.sink(0)
        self.config["processors"]["batch"]["send_batch_size"] = 8
        self.start()
        request = messages.simple("traces", 1).SerializeToString()
        with rawhttp.Connection(self.http) as connection:  # one connection: one worker, one batch
            for number in range(8):
                connection.send(rawhttp.encode("POST", http_path("traces"),
                                               {"Content-Type": "application/x-protobuf"}, request))
                self.assertEqual(connection.receive().status, 200)
                if number == 5:
                    self.config["exporters"]["otlp_grpc"]["endpoint"] = f"127.0.0.1:{other.port}"
                    self.reload(1, 1)
                    self.assertEqual(other.requests, 0)
        other.wait_count("traces", 8)
        self.assertEqual((other.requests, sink.requests), (1, 0))
        self.stop()

    def test_timers(self):
        """A batch's time runs on: reloads do not put it off."""
        sink = self.sink()
        self.config["processors"]["batch"]["timeout"] = "500ms"
        self.start()
        self.send(3)
        # Another signal would replace the receiver, which may be told of them only once.
        self.config["exporters"]["nop"] = None
        begun, changed = time.monotonic(), 0
        while sink.count("traces") < 3:
            changed += 1
            if changed % 2:
                self.config["service"]["pipelines"]["traces/more"] = self.pipeline((), ["nop"])
                self.reload(1, 0)
            else:
                del self.config["service"]["pipelines"]["traces/more"]
                self.reload(0, 1)
            self.assertLess(time.monotonic() - begun, 30)
        self.stop()

    def test_queue(self):
        """The one of an exporter that stays, while its receiver and its processor are replaced."""
        self.start()
        self.config["processors"]["batch"]["timeout"] = "1ms"
        self.reload(1, 1)
        self.send(5)
        self.config["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 5
        self.config["processors"]["batch"]["timeout"] = "2ms"
        self.reload(2, 2)
        sink = self.sink()
        sink.wait_count("traces", 5)
        self.assertEqual(self.stop()["exporter", "otlp_grpc"]["out"], 5)


class TestReplaced(State):
    def test_batch(self):
        """What it held is sent at once, by the routes that it had."""
        sink = self.sink()
        self.start()
        self.send(5)
        self.config["processors"]["batch"]["send_batch_size"] = 100
        self.reload(1, 1)
        sink.wait_count("traces", 5)
        self.send(2)
        self.config["service"]["pipelines"]["traces"]["processors"] = []
        self.reload(0, 1)
        sink.wait_count("traces", 7)
        rows = self.stop()
        self.assertEqual(rows["processor", "batch"]["out"], 7)

    def test_pipeline_taken_out(self):
        sink = self.sink()
        self.config["exporters"]["nop"] = None
        self.config["service"]["pipelines"]["logs"] = self.pipeline((), ["nop"])
        self.start()
        self.send(5)
        traces = self.config["service"]["pipelines"].pop("traces")
        self.reload(1, 3)  # the receiver, too: it serves other signals
        sink.wait_count("traces", 5)
        self.assertEqual(self.sender.export("traces", messages.simple("traces", 1)).code, "UNIMPLEMENTED")
        self.config["service"]["pipelines"]["traces"] = traces
        self.reload(3, 1)
        self.send(2)
        rows = self.stop()
        self.assertEqual(sink.count("traces"), 7)
        self.assertEqual(rows["exporter", "otlp_grpc"]["out"], 7)

    def test_receiver(self):
        """A connection without a request may bring one more, and is told that it was the last."""
        sink = self.sink()
        self.start()
        request = rawhttp.encode("POST", http_path("traces"), {"Content-Type": "application/x-protobuf"},
                                 messages.simple("traces", 1).SerializeToString())
        with rawhttp.Connection(self.http) as fresh, rawhttp.Connection(self.http) as used, \
                rawhttp.Connection(self.http) as idle:
            used.send(request)
            self.assertEqual(used.receive().status, 200)
            self.config["receivers"]["otlp"]["protocols"]["http"]["max_request_body_size"] = 1_000_000
            self.reload(1, 1)
            for connection in (fresh, used):
                connection.send(request)
                answer = connection.receive()
                self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
                self.assertTrue(connection.closed())
            self.assertTrue(idle.closed())
        self.stop()
        self.assertEqual(sink.count("traces"), 3)

    def test_memory_queue(self):
        """Its successor has it, at the same destination or at another."""
        self.unbatched()
        self.start()
        for count in (5, 7):
            self.send(count)
        self.config["exporters"]["otlp_grpc"]["timeout"] = "3s"
        self.reload(1, 1)
        self.send(2)
        other = self.sink(0)
        self.config["exporters"]["otlp_grpc"]["endpoint"] = f"127.0.0.1:{other.port}"
        self.reload(1, 1)
        other.wait_count("traces", 14)
        row = self.stop()["exporter", "otlp_grpc"]
        self.assertEqual((row["accepted"], row["out"], other.requests), (14, 14, 3))
        self.assertEqual((row["handed_over"], row["made"]), (26, 26))

    def queue_behind_a_slow_request(self):
        """Five spans under way in an instance that retires, seven in its queue; the sink and what lets it answer."""
        gate = threading.Event()
        sink = self.managed(rpc.Sink(lambda *_: gate.wait(20) and None, port=self.backend))
        self.addCleanup(gate.set)
        self.unbatched()
        self.config["exporters"]["nop"] = None
        self.config["exporters"]["otlp_grpc"].update(timeout="30s", sending_queue={"num_consumers": 1})
        self.start()
        self.send(5)
        wait_for(lambda: sink.requests == 1, 10, "the first request arrives")
        self.send(7)
        self.config["exporters"]["otlp_grpc"]["timeout"] = "31s"
        self.reload(1, 1)
        return sink, gate

    def test_memory_queue_whose_successor_goes(self):
        """The instance that was to hand it over sends it itself."""
        sink, gate = self.queue_behind_a_slow_request()
        self.config["service"]["pipelines"]["traces"]["exporters"] = ["nop"]
        self.reload(1, 1)
        gate.set()
        sink.wait_count("traces", 12)
        row = self.stop()["exporter", "otlp_grpc"]
        self.assertEqual((row["out"], row["handed_over"]), (12, 0))

    def test_memory_queue_and_shutdown(self):
        """At shutdown there is no successor, either."""
        sink, gate = self.queue_behind_a_slow_request()
        os.kill(self.weir_.pid, signal.SIGTERM)
        wait_for(lambda: "Starting shutdown..." in self.weir_.stderr, 10, "the shutdown begins")
        gate.set()
        ended = self.weir_.wait()
        self.assertEqual((ended.code, sink.count("traces")), (0, 12), ended.stderr)
        ledger = Ledger(ended.stderr)
        self.assertTrue(ledger.closes, ended.stderr)
        row = ledger.row("traces", "exporter", "otlp_grpc")
        self.assertEqual((row["out"], row["handed_over"], row["dropped"]), (12, 0, 0))

    def test_memory_queue_without_successor(self):
        """It has as long as a shutdown has; what is then left is counted."""
        self.unbatched()
        self.config["exporters"]["nop"] = None
        self.start("--drain-timeout", "300ms")
        self.send(5)
        self.config["service"]["pipelines"]["traces"]["exporters"] = ["nop"]
        self.reload(1, 1)
        self.send(2)
        rows = self.stop(dropped=5)
        self.assertEqual(rows["exporter", "nop"]["out"], 2)

    def test_file(self):
        """The file is neither emptied nor torn while an instance and its successor write to it."""
        path = self.folder / "out.jsonl"
        self.unbatched()
        self.config["exporters"] = {"file": {"path": str(path)}}
        self.config["service"]["pipelines"]["traces"]["exporters"] = ["file"]
        self.start()
        for number in range(10):
            self.send(3)
            self.config["exporters"]["file"]["create_directory"] = number % 2 == 0
            self.reload(1, 1)
            self.send(2)
        moved = self.folder / "moved.jsonl"
        self.config["exporters"]["file"]["path"] = str(moved)
        self.reload(1, 1)
        self.send(4)
        rows = self.stop()
        self.assertEqual(rows["exporter", "file"]["out"], 54)
        count = lambda file: [sum(len(scope["spans"]) for resource in json.loads(line)["resourceSpans"]
                                  for scope in resource["scopeSpans"]) for line in file.read_text().splitlines()]
        self.assertEqual((sorted(count(path)), count(moved)), ([2] * 10 + [3] * 10, [4]))


class TestDiskQueue(State):
    def setUp(self):
        super().setUp()
        self.unbatched()
        self.config["extensions"] = {"file_storage": {"directory": str(self.folder / "a"), "create_directory": True}}
        self.config["service"]["extensions"] = ["file_storage"]
        self.config["service"]["pipelines"]["traces"]["ack"] = "disk"
        self.queue = self.config["exporters"]["otlp_grpc"]["sending_queue"] = {"storage": "file_storage"}

    def on_disk(self, folder="a"):
        return (self.folder / folder / "exporter_otlp_grpc__traces").exists()

    def test_exporter(self):
        """The journal stays open; its successor sends what is in it, to where it sends."""
        self.start()
        self.send(5)
        self.config["exporters"]["otlp_grpc"]["timeout"] = "3s"
        self.reload(1, 1)
        self.send(7)
        other = self.sink(0)
        self.config["exporters"]["otlp_grpc"]["endpoint"] = f"127.0.0.1:{other.port}"
        self.reload(1, 1)
        other.wait_count("traces", 12)
        row = self.stop()["exporter", "otlp_grpc"]
        self.assertEqual((row["accepted"], row["out"], row["held"], other.requests), (12, 12, 0, 2))

    def test_storage(self):
        """With the extension the exporter is replaced, too; limits take effect, nothing is lost."""
        self.start()
        self.send(5)
        self.config["extensions"]["file_storage"].update(fsync=True, max_size=1)
        self.reload(2, 2)
        answer = self.sender.export("traces", messages.simple("traces", 1))
        self.assertEqual(answer.code, "UNAVAILABLE", answer)
        self.config["extensions"]["file_storage"]["max_size"] = 0
        self.reload(2, 2)
        self.send(2)
        sink = self.sink()
        sink.wait_count("traces", 7)
        self.stop()

    def test_another_directory(self):
        """What the old one has stays there, to be sent when the configuration names it again."""
        self.start()
        self.send(5)
        self.config["extensions"]["file_storage"]["directory"] = str(self.folder / "b")
        self.reload(2, 2)
        self.send(2)
        sink = self.sink()
        sink.wait_count("traces", 2)
        self.assertTrue(self.on_disk("a") and self.on_disk("b"))
        self.config["extensions"]["file_storage"]["directory"] = str(self.folder / "a")
        self.reload(2, 2)
        sink.wait_count("traces", 7)
        self.stop()

    def test_to_memory_and_back(self):
        self.start()
        self.send(5)
        self.config["service"]["pipelines"]["traces"].pop("ack")
        del self.queue["storage"]
        self.reload(1, 1)
        self.send(2)
        self.config["service"]["pipelines"]["traces"]["ack"] = "disk"
        self.queue["storage"] = "file_storage"
        self.reload(1, 1)
        sink = self.sink()
        sink.wait_count("traces", 7)
        self.stop()

    def test_no_successor(self):
        """What no exporter of the new configuration has stays on disk."""
        self.config["exporters"]["nop"] = None
        self.start("--drain-timeout", "300ms")
        self.send(5)
        self.config["service"]["pipelines"]["traces"] = self.pipeline((), ["nop"])
        self.reload(1, 1)
        self.send(2)
        self.config["service"]["pipelines"]["traces"] = {**self.pipeline(()), "ack": "disk"}
        self.reload(1, 1)
        sink = self.sink()
        sink.wait_count("traces", 5)
        self.stop()
