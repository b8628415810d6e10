# SPDX-License-Identifier: Apache-2.0
"""O1: the configuration is changed 200 times under load, while backends come and go."""

import json
import re
import threading
import time

import yaml

from faultlib import Row, sample, wait_for
from weirtest import rawhttp
from weirtest.requests import PROTO
from weirtest.weir import run

DONE, SAME, REFUSED = "Configuration reloaded", "Configuration is unchanged", "Configuration not reloaded"
SIGNALS = ("traces", "metrics", "logs")
ALL = "traces,metrics,logs"
SECONDS_MAX = 0.1  # for one reload, but for one in ten of those on a busy machine

# What the file may say that no collector can run: what is done to a good one, and what is said of it.
BROKEN = [
    (lambda text: text.replace("timeout: 20ms", "timeout: soon").replace("timeout: 70ms", "timeout: soon"),
     r"config\.yaml:\d+:\d+: processors::batch::timeout: "),
    (lambda text: text.replace("processors:\n  batch:", "processors:\n  absent: {}\n  batch:"),
     r"config\.yaml:\d+:\d+: processors::absent: "),
    (lambda text: text.replace("  pipelines:\n",
                               "  pipelines:\n    traces/two: {receivers: [otlp], exporters: [missing]}\n"),
     r"config\.yaml:\d+:\d+: service::pipelines::traces/two: references exporter"),
    (lambda text: text[:len(text) // 2] + "\n\t}", r"config\.yaml:\d+:\d+: "),
    (lambda text: "", r"config\.yaml:1:1: empty configuration file"),
]


class Knocker:
    """Sends one request after the other, each on a connection of its own; `failed` is what was not answered."""

    def __init__(self, port):
        self.count, self.failed = 0, []
        self._port = port
        self._over = threading.Event()
        self.busy = threading.Lock()  # held from outside: it pauses
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.is_set():
            with self.busy:
                self._knock()
            time.sleep(0.001)

    def _knock(self):
        try:
            status = rawhttp.post(self._port, "/v1/traces", b"", PROTO).status
        except (OSError, ValueError) as error:
            status = repr(error)
        self.count += 1
        if status != 200:
            self.failed.append(status)

    def close(self):
        self._over.set()
        self._thread.join()


class Reloads(Row):
    id = "O1"
    title = "reloads under load: options, endpoints, pipelines, invalid, identical; backends down"
    budget = 30.0
    broken_by = ("a queue that is not handed to its successor: 7120 items lost; a server that closes connections "
                 "without a request at once: 3 of 4109 had no answer; a receiver that binds its address anew instead "
                 "of taking its sockets over: 3 of 4268 connections reset")
    alone = True

    COUNT = 200
    COUNT_SANITIZED = 60  # each `weir reload` is slow there

    def setUp(self):
        super().setUp()
        self.oracles = [self.oracle(), self.oracle()]
        self.side = self.oracle()
        self.gates = [self.gate(o.grpc_port) for o in self.oracles]
        self.grpc, self.http, self.health = (self.free_port() for _ in range(3))
        self.moving = [self.free_port(), self.free_port()]
        # The queue is on disk at the end of each third: what is there when it is not waits until it is again.
        self.state = {"timeout": 0, "to": 0, "place": 0, "side": False, "health": False, "limit": 0, "disk": True}
        self.tally = dict.fromkeys((DONE, SAME, REFUSED), 0)
        self.slowest = 0.0  # reload
        self.longest = 0.0  # wait for what was acknowledged so far, once the backends are up again

    # --- configurations ---

    def config(self):
        state = self.state
        config = self.otlp_config(
            self.gates[state["to"]].address, grpc=self.grpc, http=self.http, processors=("batch",),
            processors_config={"batch": {"timeout": ("20ms", "70ms")[state["timeout"]]}},
            exporter={"sending_queue": {"queue_size": 100_000, **({"storage": "file_storage"} if state["disk"] else {})},
                      "retry_on_failure": {"initial_interval": "50ms", "max_interval": "200ms"}},
            extensions={"file_storage": {"directory": str(self.folder / "queue"), "create_directory": True}})
        config["service"]["telemetry"]["logs"] = {"sampling": {"enabled": False}}
        config["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] = 4 + state["limit"]
        config["receivers"]["otlp"]["protocols"]["http"]["max_request_body_size"] = 1_000_000 + state["limit"]
        config["receivers"]["otlp/moving"] = {
            "protocols": {"grpc": {"endpoint": f"127.0.0.1:{self.moving[state['place']]}"}}}
        for name in SIGNALS:
            config["service"]["pipelines"][name]["receivers"] = ["otlp", "otlp/moving"]
        if state["side"]:
            config["exporters"]["otlp_http"] = {"endpoint": f"http://{self.side.http}"}
            config["service"]["pipelines"]["traces/side"] = {"receivers": ["otlp"], "exporters": ["otlp_http"]}
        if state["health"]:
            config["extensions"]["health_check"] = {"endpoint": f"127.0.0.1:{self.health}"}
            config["service"]["extensions"].append("health_check")
        return config

    def text(self):
        return yaml.safe_dump(self.config(), sort_keys=False)

    def write(self, text):
        (self.weir_.folder / "config.yaml").write_text(text)

    # --- reloads ---

    def reload(self, expected):
        done = run("reload", self.weir_.pid)
        self.assertEqual(done.code, 1 if expected == REFUSED else 0, done.stderr)
        self.assertEqual(done.stdout.startswith("reloaded: "), expected == DONE, done.stdout)
        self.tally[expected] += 1
        return done.stderr

    def change(self, name):
        self.state[name] = type(self.state[name])(not self.state[name])
        self.write(self.text())
        self.reload(DONE)

    def invalid(self):
        spoil, said = self.random.choice(BROKEN)
        self.write(spoil(self.text()))
        self.assertRegex(self.reload(REFUSED), said)

    def identical(self):
        self.write("# the same, in other words\n" + json.dumps(self.config()))
        self.reload(SAME)

    def reloads(self, count):
        """That many, of every kind, in any order; the last leaves the configuration as it was at first."""
        todo = []
        while len(todo) < count - len(self.state):
            todo += [*self.state, "invalid", "identical"]
        self.random.shuffle(todo)
        del todo[count - len(self.state):]
        todo += [name for name in self.state if todo.count(name) % 2]
        todo += ["identical"] * (count - len(todo))
        for what in todo:
            if what == "invalid":
                self.invalid()
            elif what == "identical":
                self.identical()
            else:
                self.change(what)

    # --- figures ---

    def threads(self):
        return int(re.search(r"Threads:\s+(\d+)", open(f"/proc/{self.weir_.pid}/status").read()).group(1))

    def settled(self):
        """(MiB, descriptors, threads) once nothing of the old is left: idle connections are kept for a second."""
        last = [None, 0]

        def steady():
            now = (sample.descriptors(self.weir_.pid), self.threads())
            last[1] = last[1] + 1 if now == last[0] else 0
            last[0] = now
            return last[1] >= 55
        with self.knocker.busy:
            wait_for(steady, 20, lambda: f"descriptors and threads stay at {last[0]}", 0.02)
            return (sample.rss_mib(self.weir_.pid), *last[0])

    def round(self, count):
        """A third with the backends up, a third with both down, a third with both up again."""
        self.reloads(count // 3)
        for gate in self.gates:
            gate.down()
        self.reloads(count // 3)
        for gate in self.gates:
            gate.up()
        self.reloads(count - 2 * (count // 3))
        begun = time.monotonic()
        self.assert_nothing_lost(self.generators, self.oracles, 40)
        self.longest = max(self.longest, time.monotonic() - begun)
        return self.settled()

    def check_times(self):
        times = [float(t) for t in re.findall(DONE + r".*\"seconds\": ([0-9.e-]+)", self.weir_.stderr)]
        self.assertEqual(len(times), self.tally[DONE])
        self.slowest = max(times)
        if not self.weir_.sanitized():
            slow = [t for t in times if t > SECONDS_MAX]
            self.assertLessEqual(len(slow), len(times) // 10, slow)

    def grown(self, first, second):
        """True when there is more of something than the load alone explains; a connection of each worker may be there
        or not."""
        (rss, fds, threads), (rss2, fds2, threads2) = first, second
        return fds2 > fds + 4 or threads2 > threads or (rss2 > rss + 6.0 and not self.weir_.sanitized())

    def rounds(self, count):
        """As many rounds as it takes until one leaves no more behind than the one before; what leaks, leaks in each."""
        found = [self.round(count), self.round(count)]
        while self.grown(*found[-2:]) and len(found) < 4:
            found.append(self.round(count))
        rss, fds, threads = (second - first for first, second in zip(*found[-2:]))
        self.figure(f"{fds:+d} descriptors, {threads:+d} threads, {rss:+.1f} MiB in round {len(found)}")
        self.assertFalse(self.grown(*found[-2:]), f"(MiB, descriptors, threads) grow: {found}")

    def check_unchanged_listeners(self):
        """Nobody who sent to a receiver that stayed was refused, or left without an answer."""
        self.knocker.close()
        self.assertEqual(self.knocker.failed, [], f"of {self.knocker.count}")
        self.assertGreater(self.knocker.count, self.tally[DONE])
        for generator in self.generators:
            generator.wait_acknowledged(1000)  # the receiver that moves may have been elsewhere most of the time
            summary = generator.stop()
            # Who connects to the one that moves when it goes, or waits too long until it is back, has no answer.
            unanswered = summary["items_unanswered"] if generator is not self.generators[-1] else 0
            self.assertEqual((summary["items_refused"], summary["items_rejected"], unanswered), (0, 0, 0), summary)

    def test_under_load(self):
        self.weir_ = self.weir(self.config(), args=["--workers", "2"])
        self.generators = [
            self.generator(f"127.0.0.1:{self.grpc}", "-r", 3000, "-i", 50, "-s", ALL, "-c", 2),
            self.generator(f"http://127.0.0.1:{self.http}", "-p", "http", "-r", 3000, "-i", 50, "-s", ALL, "-c", 2),
            self.generator(f"127.0.0.1:{self.moving[0]}", "-r", 500, "-i", 10, "-s", ALL)]
        self.knocker = self.managed(Knocker(self.http))
        self.generators[0].wait_acknowledged(1000)
        half = (self.COUNT_SANITIZED if self.weir_.sanitized() else self.COUNT) // 2
        self.rounds(half)
        self.check_unchanged_listeners()
        self.check_times()
        self.figure(f"{self.knocker.count} short connections, 0 refused; {self.tally[DONE]} reloads, "
                    f"{self.tally[SAME]} identical, {self.tally[REFUSED]} invalid, {self.slowest * 1000:.0f} ms at most, "
                    f"all there within {self.longest:.1f} s")
        self.send_fresh(f"127.0.0.1:{self.grpc}", [self.oracles[0]])
        self.assert_nothing_unknown(self.generators, [self.side])
        ledger = self.judge(self.weir_, self.generators, self.oracles, window=None)
        self.assertEqual([row for row in ledger.rows if row["dropped"]], [])
