# SPDX-License-Identifier: Apache-2.0
"""`weir queue`: looks into the queues of a collector that does not run, exports and replays them."""

import json
import pathlib
import re
import tempfile
import threading

from test_disk_queue import DiskQueue
from weirtest import free_port, load, messages, rpc, wait_for
from weirtest.weir import run


class QueueTool(DiskQueue):
    def fill(self, requests=6):
        """Leaves that many requests in each signal's queue; returns the answered ones."""
        weir = self.start()
        answered = self.load(3 * requests).wait(20)
        self.stop_cleanly(weir)
        return answered

    def queue(self, action, *args, directory=None):
        return run("queue", action, directory or self.storage, *args)

    def rows(self):
        """{queue: [requests, items, bytes, dead, damaged]} of `weir queue list`."""
        done = self.queue("list")
        self.assertEqual(done.code, 0, done.stderr)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(lines[0], ["QUEUE", "REQUESTS", "ITEMS", "BYTES", "DEAD", "DAMAGED"])
        return {line[0]: [int(n) for n in line[1:]] for line in lines[1:]}

    def damage(self):
        """Changes one byte of the first record of the traces."""
        path = min(self.queue_folder().glob("*.seg"))
        data = bytearray(path.read_bytes())
        at = data.index(b"item:")
        data[at] ^= 1
        path.write_bytes(data)

    def poison(self):
        """A request that was being sent each time that weir was killed: the fourth weir gives it up."""
        over = threading.Event()
        sink = self.sink(lambda *_: over.wait(30) and None)
        self.addCleanup(over.set)
        for n in range(3):
            weir = self.start()
            if n == 0:
                sender = self.managed(rpc.Sender(self.grpc))
                self.assertEqual(sender.export("logs", load.request("logs", 0, 5, 0).body).code, "OK")
            wait_for(lambda seen=n: sink.requests > seen, 20, "it is being sent")
            weir.child.kill()
        over.set()
        weir = self.start()
        weir.child.wait_line("goes to the dead letters")
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("logs", "exporter", "otlp_grpc")["drops"], {"poison": 5})
        sink.close()


class TestWaiting(QueueTool):
    def test_list_and_verify(self):
        answered = self.fill()
        rows = self.rows()
        for signal in messages.SIGNALS:
            row = rows[f"exporter_otlp_grpc__{signal}"]
            self.assertEqual((row[0], row[1], row[3:]), (6, len(load.items(signal, answered)), [0, 0]))
        done = self.queue("verify")
        self.assertEqual((done.code, done.stdout.count(": 6 good, 0 bad")), (0, 3), done)

    def test_damage(self):
        self.fill()
        self.damage()
        done = self.queue("verify", directory=self.queue_folder())
        self.assertEqual(done.code, 1)
        self.assertRegex(done.stdout, r"exporter_otlp_grpc__traces/[0-9a-f]{16}\.seg, byte \d+: the checksum of the "
                                      r"record is wrong\nexporter_otlp_grpc__traces: 5 good, 1 bad\n")
        self.assertEqual(self.rows()["exporter_otlp_grpc__traces"][4], 1)

    def exported(self, ending, *args):
        with tempfile.TemporaryDirectory() as folder:
            done = self.queue("export", "--output", folder + "/out", *args)
            self.assertEqual(done.code, 0, done.stderr)
            return {f.name: f.read_bytes() for f in pathlib.Path(folder, "out").glob("*." + ending)}

    def test_export(self):
        answered = self.fill()
        files = self.exported("json")
        self.assertEqual(len(files), 18)
        traces = [json.loads(data) for name, data in files.items() if "_traces-" in name]
        names = [span["name"] for request in traces for resource in request["resourceSpans"]
                 for scope in resource["scopeSpans"] for span in scope["spans"]]
        owed = load.items("traces", answered)
        self.assertEqual(sorted(int(re.search("[0-9]+", name)[0]) for name in names), owed)
        files = self.exported("pb", "--format", "protobuf")
        bodies = [data for name, data in files.items() if "_traces-" in name]
        self.assertEqual(sorted(bodies), sorted(a.request.body for a in answered if a.request.signal == "traces"))

    def test_export_needs_a_new_place(self):
        self.fill(1)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.queue("export", "--output", folder).code, 0)
            done = self.queue("export", "--output", folder)
            self.assertEqual(done.code, 1)
            self.assertIn("File exists", done.stderr)

    def test_replay(self):
        answered = self.fill()
        done = self.queue("replay", "--endpoint", f"http://127.0.0.1:{free_port()}")
        self.assertEqual((done.code, done.stdout), (1, f"replayed 0 requests with 0 items, 18 left\n"))
        items = sum(len(load.items(signal, answered)) for signal in messages.SIGNALS)
        sink = self.sink()
        config = self.config(storage={"directory": str(self.storage) + "2"})
        weir = self.start(config)
        done = self.queue("replay", "--endpoint", f"http://127.0.0.1:{self.http}/")
        self.assertEqual((done.code, done.stdout), (0, f"replayed 18 requests with {items} items, 0 left\n"), done)
        self.wait_all([sink], answered)
        self.stop_cleanly(weir)
        self.assert_each_once([sink])
        self.assertEqual([row[0] for row in self.rows().values()], [0, 0, 0])


class TestDeadLetters(QueueTool):
    def test_poison_is_given_up_and_replayed(self):
        self.poison()
        self.assertEqual(self.rows()["exporter_otlp_grpc__logs"][3], 1)
        self.assertEqual(self.queue("verify").code, 0)
        sink = self.sink()
        weir = self.start(self.config(storage={"directory": str(self.storage) + "2"}))
        done = self.queue("replay", "--dead", "--endpoint", f"http://127.0.0.1:{self.http}")
        self.assertEqual((done.code, done.stdout), (0, "replayed 1 requests with 5 items, 0 left\n"), done)
        sink.wait_count("logs", 5)
        self.stop_cleanly(weir)
        self.assertEqual(self.rows()["exporter_otlp_grpc__logs"][3], 0)


class TestRefusals(QueueTool):
    def test_a_collector_that_runs(self):
        self.start()
        for action in (["list"], ["verify"], ["export", "--output", str(self.storage) + "-out"],
                       ["replay", "--endpoint", "http://127.0.0.1:1"]):
            done = self.queue(*action)
            self.assertEqual(done.code, 1, action)
            self.assertIn("is in use by another process", done.stderr)

    def test_no_queue(self):
        self.assertIn("cannot find the directory", self.queue("list", directory="/nowhere").stderr)
        with tempfile.TemporaryDirectory() as folder:
            done = self.queue("list", directory=folder)
            self.assertEqual((done.code, done.stderr), (1, f"Error: there is no queue in {folder}\n"))

    def test_wrong_usage(self):
        self.fill(1)
        for args, said in ((["peek", self.storage], "queue takes what to do"), (["list"], "queue takes what to do"),
                           (["export", self.storage], "--output"), (["replay", self.storage], "--endpoint"),
                           (["export", self.storage, "--output", "x", "--format", "xml"], "json or protobuf")):
            done = run("queue", *args)
            self.assertEqual(done.code, 2, args)
            self.assertIn(said, done.stderr)
