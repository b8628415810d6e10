# SPDX-License-Identifier: Apache-2.0
"""Ten thousand requests of mixed sizes through the batch processor: nothing is lost or doubled."""

import random

from weirtest import TestCase, free_port, load, messages, rpc

REQUESTS = 10_000
MAX_SIZE = 1000

CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
      http:
        endpoint: 127.0.0.1:{http}
processors:
  batch:
    timeout: 1s
    send_batch_size: 700
    send_batch_max_size: {max_size}
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: &pipeline
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp]
    metrics: *pipeline
    logs: *pipeline
"""


def mixed_sizes(count):
    """Mostly small requests; one in a hundred has to be cut."""
    chance = random.Random(2)
    return [chance.choices((chance.randint(1, 20), chance.randint(21, 150),
                            chance.randint(MAX_SIZE + 1, 3 * MAX_SIZE)), (82, 17, 1))[0]
            for _ in range(count)]


class Batch(TestCase):
    """Through batch with send_batch_max_size, into a sink that accepts or refuses."""

    def run_load(self, answer=None):
        """Sends everything and stops weir; what it answered is either at the sink or counted."""
        self.sink = self.managed(rpc.Sink(answer))
        grpc, http = free_port(), free_port()
        weir = self.weir(CONFIG.format(grpc=grpc, http=http, sink=self.sink.port,
                                       max_size=MAX_SIZE), args=["--workers", "4"])
        self.sent = load.requests(messages.SIGNALS, mixed_sizes(REQUESTS))
        sending = self.managed(load.Load(self.sent, http, 6, grpc, 2))
        answered = sending.wait(60)
        self.assertEqual({a.outcome for a in answered}, {"OK", 200})
        self.assertEqual(len(answered), REQUESTS)
        self.ledger = self.stop_cleanly(weir)

    def bodies(self, signal, requests):
        """The bodies of a signal's requests, none of them with too many items in it."""
        bodies = [r.body for r in requests if r.signal == signal]
        for body in bodies:
            message = messages.request(signal).FromString(body)
            self.assertLessEqual(messages.count_items(signal, message), MAX_SIZE)
        return bodies

    def assert_each_once(self, signal, bodies):
        """The items of a signal, over all bodies, are those that were sent, with their resource."""
        sent = sum(r.count for r in self.sent if r.signal == signal)
        found = sorted(n for body in bodies for n in load.numbers(body))
        self.assertEqual(len(found), sent)
        self.assertTrue(found == list(range(sent)), f"{signal}: some are doubled, some missing")
        self.assertEqual(load.misplaced(signal, bodies, self.sent), [])
        return sent

    def assert_ledger(self, signal, sent, refused):
        row = self.ledger.row(signal, "receiver", "otlp")
        self.assertEqual((row["accepted"], row["out"]), (sent, sent))
        row = self.ledger.row(signal, "processor", "batch", signal)
        self.assertEqual((row["accepted"], row["out"], row["held"]), (sent, sent - refused, 0))
        self.assertEqual(row["drops"], {"send_failed": refused} if refused else {})
        row = self.ledger.row(signal, "exporter", "otlp")
        self.assertEqual((row["accepted"], row["out"]), (sent - refused, sent - refused))

    def test_complete_in_pieces_no_larger_than_asked(self):
        self.run_load()
        for signal in messages.SIGNALS:
            with self.subTest(signal):
                bodies = self.bodies(signal, self.sink.received)
                sent = self.assert_each_once(signal, bodies)
                self.assert_ledger(signal, sent, 0)
                # Batches were made: pieces are not the requests that came.
                self.assertLess(len(bodies), REQUESTS // 6)

    def test_refused_half_is_counted(self):
        self.run_load(lambda _, number: (None, ("UNAVAILABLE", "later"), None,
                                         ("INVALID_ARGUMENT", "never"))[number % 4])
        for signal in messages.SIGNALS:
            with self.subTest(signal):
                delivered = self.bodies(signal, self.sink.received)
                refused = self.bodies(signal, self.sink.refused)
                sent = self.assert_each_once(signal, delivered + refused)
                count = sum(len(load.numbers(body)) for body in refused)
                self.assertGreater(count, 0)
                self.assert_ledger(signal, sent, count)


METADATA = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{grpc}
        include_metadata: true
processors:
  batch:
    timeout: 10s
    metadata_keys: [x-tenant, x-zone]
    metadata_cardinality_limit: 3
exporters:
  otlp:
    endpoint: 127.0.0.1:{sink}
    tls:
      insecure: true
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp]
"""


class Metadata(TestCase):
    """Requests of different tenants never share a batch."""

    def test_metadata_keys_keep_batches_apart(self):
        sink = self.managed(rpc.Sink())
        port = free_port()
        weir = self.weir(METADATA.format(grpc=port, sink=sink.port), args=["--workers", "1"])
        sender = self.managed(rpc.Sender(port))
        tenants = ((("x-tenant", "a"), ("x-zone", "z")), (("x-tenant", "a"),), ())
        for number in range(60):
            one = load.request("logs", number, 1, number)
            answer = sender.export("logs", one.body, metadata=tenants[number % 3])
            self.assertEqual(answer.code, "OK")
        answer = sender.export("logs", load.request("logs", 60, 1, 60).body,
                               metadata=(("x-tenant", "one too many"),))
        self.assertNotIn(answer.code, ("OK", "UNAVAILABLE"))
        self.assertIn("too many batcher metadata-value combinations", answer.details)
        self.stop_cleanly(weir)
        batches = sorted(sorted(load.numbers(r.body)) for r in sink.received)
        self.assertEqual(batches, [list(range(first, 60, 3)) for first in range(3)])
