# SPDX-License-Identifier: Apache-2.0
"""sending_queue::storage: what was taken in outlives the process, and leaves the disk once delivered."""

import pathlib
import tempfile
import time

import yaml

from weirtest import TestCase, free_port, load, messages, rpc, wait_for
from weirtest.weir import run


class DiskQueue(TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="weirtest.queue.")
        self.addCleanup(folder.cleanup)
        self.storage = pathlib.Path(folder.name) / "storage"
        self.grpc, self.http, self.backend = free_port(), free_port(), free_port()

    def queue_folder(self, signal="traces"):
        return self.storage / f"exporter_otlp_grpc__{signal}"

    def config(self, ack="disk", storage=None, exporter=None, **queue):
        pipeline = {"receivers": ["otlp"], "exporters": ["otlp_grpc"], "ack": ack}
        return {
            "extensions": {"file_storage": {"directory": str(self.storage), "create_directory": True,
                                            **(storage or {})}},
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.grpc}"},
                                                 "http": {"endpoint": f"127.0.0.1:{self.http}"}}}},
            "exporters": {"otlp_grpc": {
                "endpoint": f"127.0.0.1:{self.backend}", "tls": {"insecure": True},
                "sending_queue": {"storage": "file_storage", "queue_size": 100_000, **queue},
                "retry_on_failure": {"initial_interval": "20ms", "max_interval": "200ms", "max_elapsed_time": 0},
                **(exporter or {})}},
            "service": {"extensions": ["file_storage"],
                        "telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {signal: dict(pipeline) for signal in messages.SIGNALS}},
        }

    def start(self, config=None, **options):
        return self.weir(config or self.config(), args=["--workers", "3"], **options)

    def sink(self, answer=None):
        return self.managed(rpc.Sink(answer, workers=8, port=self.backend))

    def load(self, count, **options):
        self.sent = load.requests(messages.SIGNALS, [1 + n % 23 for n in range(count)])
        return self.managed(load.Load(self.sent, self.http, grpc_port=self.grpc, **options))

    def arrived(self, sinks, signal):
        return sorted(n for sink in sinks for r in sink.received if r.signal == signal
                      for n in load.numbers(r.body))

    def wait_all(self, sinks, answered, seconds=20.0):
        """Waits until each item that was answered OK is at one of the sinks."""
        for signal in messages.SIGNALS:
            owed = set(load.items(signal, answered))
            self.assertGreater(len(owed), 0)
            wait_for(lambda s=signal, o=owed: not o - set(self.arrived(sinks, s)), seconds,
                     f"all {signal} that were answered OK arrive")

    def assert_each_once(self, sinks):
        for signal in messages.SIGNALS:
            numbers = self.arrived(sinks, signal)
            self.assertEqual(len(numbers), len(set(numbers)), f"{signal}: some came twice")


class TestRestart(DiskQueue):
    def test_stop_with_the_backend_down(self):
        weir = self.start()
        answered = self.load(300).wait(20)
        self.assertEqual({a.outcome for a in answered}, {"OK", 200})
        ledger = self.stop_cleanly(weir)
        for signal in messages.SIGNALS:
            count = len(load.items(signal, answered))
            row = ledger.row(signal, "exporter", "otlp_grpc")
            self.assertEqual((row["accepted"], row["out"], row["dropped"], row["held"]), (count, 0, 0, count))
        sink = self.sink()
        weir = self.start()
        self.wait_all([sink], answered)
        ledger = self.stop_cleanly(weir)
        self.assert_each_once([sink])
        for signal in messages.SIGNALS:
            count = len(load.items(signal, answered))
            row = ledger.row(signal, "exporter", "otlp_grpc")
            self.assertEqual((row["accepted"], row["made"], row["out"], row["held"]), (0, count, count, 0))

    def test_kill_9_under_load(self):
        weir = self.start()
        sending = self.load(20_000)
        wait_for(lambda: len(sending.answered) >= 500, 20, "the load is on its way")
        weir.child.kill()
        sending.stop()
        answered = [a for a in sending.wait(20) if a.outcome in ("OK", 200)]
        sink = self.sink()
        weir = self.start()
        self.wait_all([sink], answered)
        self.stop_cleanly(weir)

    def test_kill_9_while_sending(self):
        """What was under way when it died comes again; what had been answered does not."""
        sinks = [self.sink()]
        weir = self.start()
        sending = self.load(20_000)
        sinks[0].wait_count("traces", 200)
        weir.child.kill()
        sending.stop()
        answered = [a for a in sending.wait(20) if a.outcome in ("OK", 200)]
        weir = self.start()
        self.wait_all(sinks, answered)
        self.stop_cleanly(weir)


class TestStates(DiskQueue):
    def test_full_is_refused_for_now(self):
        self.start(self.config(queue_size=3))
        sender = self.managed(rpc.Sender(self.grpc))
        codes = [sender.export("logs", messages.simple("logs", 1)).code for _ in range(4)]
        self.assertEqual(codes, ["OK", "OK", "OK", "UNAVAILABLE"])
        sink = self.sink()
        wait_for(lambda: sender.export("logs", messages.simple("logs", 1)).code == "OK", 10, "there is room again")
        sink.wait_count("logs", 4)

    def test_refused_for_good_is_dropped_and_counted(self):
        self.sink(lambda *_: ("INVALID_ARGUMENT", "no"))
        weir = self.start()
        sender = self.managed(rpc.Sender(self.grpc))
        self.assertEqual(sender.export("traces", messages.simple("traces", 7)).code, "OK")
        weir.child.wait_line("Dropping data")
        ledger = self.stop_cleanly(weir)
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["drops"], {"permanent": 7})
        ledger = self.stop_cleanly(self.start())
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["made"], 0)

    def test_ack_sink_waits_for_the_destination(self):
        sink = self.sink(lambda signal, number: ("UNAVAILABLE", "later") if number < 2 else None)
        weir = self.start(self.config(ack="sink"))
        sender = self.managed(rpc.Sender(self.grpc))
        self.assertEqual(sender.export("traces", messages.simple("traces", 5)).code, "OK")
        self.assertEqual(sink.count("traces"), 5)
        self.stop_cleanly(weir)

    def test_a_directory_has_one_owner(self):
        self.start()
        other = self.config(storage={"timeout": "100ms"})
        self.grpc, self.http = free_port(), free_port()
        other["receivers"] = self.config()["receivers"]
        second = self.weir(other, ready=False)
        ended = second.wait(20)
        self.assertEqual(ended.code, 1)
        self.assertIn(str(self.queue_folder()), ended.stderr)


class TestReload(DiskQueue):
    def test_the_queue_is_handed_over(self):
        """With other options of the exporter, under load: nothing is lost and nothing comes twice."""
        sink = self.sink(lambda *_: time.sleep(0.005))
        weir = self.start()
        sending = self.load(20_000)  # more than is sent until the last reload, on every machine
        for n in range(5):
            seen = len(sending.answered)
            wait_for(lambda s=seen: len(sending.answered) > s + 100, 20, "the load goes on")
            config = self.config(num_consumers=3 + n)
            (weir.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
            done = run("reload", weir.pid)
            self.assertEqual(done.code, 0, done.stderr)
        sending.stop()
        answered = sending.wait(60)
        self.assertEqual({a.outcome for a in answered}, {"OK", 200})
        self.assertLess(len(answered), len(self.sent), "the load was over too early")
        self.wait_all([sink], answered, 60)
        self.stop_cleanly(weir)
        self.assert_each_once([sink])

    def test_with_the_backend_down(self):
        weir = self.start()
        answered = self.load(300).wait(20)
        (weir.folder / "config.yaml").write_text(yaml.safe_dump(self.config(num_consumers=2)))
        self.assertEqual(run("reload", weir.pid).code, 0)
        sink = self.sink()
        self.wait_all([sink], answered)
        self.stop_cleanly(weir)
        self.assert_each_once([sink])
