# SPDX-License-Identifier: Apache-2.0
"""D1, D5, D7, D8, D9: the queue on disk, over crashes, full disks, poison, restarts and long outages."""

import subprocess
import time

from faultlib import Row, wait_for
from weirtest import load, rpc
from weirtest.ledger import Ledger
from weirtest.weir import run

RETRY = {"initial_interval": "50ms", "max_interval": "500ms", "max_elapsed_time": 0}
MIB = 1 << 20


class DiskRow(Row):
    """What they share: otlp in, a queue on disk, otlp_grpc out to a port that is kept."""

    def setUp(self):
        super().setUp()
        self.grpc, self.http, self.backend = self.free_port(), self.free_port(), self.free_port()
        self.endpoint = f"127.0.0.1:{self.grpc}"
        self.storage = self.folder / "storage"
        self.storage.mkdir()

    def disk_config(self, signals=("traces",), queue=None, ack="disk", storage=None, **options):
        exporter = {"retry_on_failure": RETRY,
                    "sending_queue": {"storage": "file_storage", "queue_size": 10_000_000, **(queue or {})}}
        return self.otlp_config(f"127.0.0.1:{self.backend}", grpc=self.grpc, http=self.http, exporter=exporter,
                                signals=signals, pipeline={"ack": ack},
                                extensions={"file_storage": {"directory": str(self.storage), **(storage or {})}},
                                **options)

    def backend_up(self, *args):
        return self.oracle(*args, grpc=f"127.0.0.1:{self.backend}")

    def queue_folder(self, signal="traces"):
        return self.storage / f"exporter_otlp_grpc__{signal}"

    def disk_bytes(self):
        return sum(f.stat().st_size for f in self.storage.glob("*/*.seg"))

    def segments(self):
        return len(list(self.storage.glob("*/*.seg")))


class KillUnderLoad(DiskRow):
    id = "D1"
    title = "kill -9 under load, queue on disk"
    budget = 30.0  # who was refused a connection waits a second
    alone = True
    broken_by = ("an offer that is answered before it is written (disk_in.c): 10850 acknowledged items lost; the same "
                 "build: an answer 1.7 ms after a request whose sync takes 600 ms")
    kills = 20
    longest = 0.6  # seconds that weir lives

    def test_kills(self):
        oracle = self.backend_up()
        generator = self.generator(self.endpoint, "-r", 5000, "-i", 50, "--timeout=2s")
        starts = []
        for n in range(self.kills):
            begun = time.monotonic()
            weir = self.weir(self.disk_config(), args=["--workers", "2"])
            starts.append(time.monotonic() - begun)
            # The load, not the clock, says that it has come to something.
            before, alive = generator.count(), time.monotonic()
            wait_for(lambda b=before: generator.count() > b, 10, "something is acknowledged", 0.01)
            self.pause_until(alive + self.random.uniform(0, self.longest))
            self.kill_9(weir)
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        generator.stop()
        self.figure(f"{self.kills} kills, ready again after {max(starts):.2f} s at most")
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=None, memory=128, seconds=15)

    def pause_until(self, when):
        wait_for(lambda: time.monotonic() >= when, 10, interval=0.005)

    def test_an_answer_waits_for_the_disk(self):
        """`ack: disk`: no answer before fdatasync has returned, and one where it has."""
        delay = 600
        oracle = self.backend_up()
        weir = self.weir(self.disk_config(), env={"WEIR_FAILPOINTS": f"journal.sync.after=delay:{delay}"})
        sender = self.managed(rpc.Sender(self.grpc))
        begun = time.monotonic()
        self.assertEqual(sender.export("traces", load.request("traces", 0, 3, 0).body).code, "OK")
        took = time.monotonic() - begun
        self.assertGreater(took, delay / 1000, "answered before the sync was over")
        oracle.wait_items(3)
        self.assert_ledger_closes(weir)


class Backlog(DiskRow):
    """Much on disk, quickly."""

    def fill(self, mib, grpc=None):
        """Ends with that much on disk; returns the generators."""
        wanted = mib * MIB
        generator = self.generator(self.endpoint, "-i", 60, "--attribute-size=1500", "-c", 4, "--bodies=4")
        wait_for(lambda: self.disk_bytes() > wanted or not generator.child.running(), 120, f"{mib} MiB on disk", 0.05)
        generator.stop()
        self.assertGreater(self.disk_bytes(), wanted, generator.child.tail())
        return generator


class StartWithBacklog(Backlog):
    id = "D1b"
    title = "kill -9 with 1 GiB in the queue"
    tier = "n"
    budget = 60.0
    alone = True
    broken_by = "a start that reads every segment through, seals or not (recover.c): ready after 1.4 s"
    mib = 1024
    most = 1.0

    def test_start(self):
        weir = self.weir(self.disk_config(ack="memory"), args=["--workers", "2"])
        generator = self.fill(self.mib)
        taken = []
        for _ in range(4):  # the machine may have had other things to do
            self.kill_9(weir)
            begun = time.monotonic()
            weir = self.weir(self.disk_config(), args=["--workers", "2"])
            taken.append(time.monotonic() - begun)
            if taken[-1] < self.most:
                break
        ready = min(taken)
        self.assertLess(ready, self.most, f"seconds from the start to ready: {taken}")
        oracle = self.backend_up()
        self.figure(f"{self.disk_bytes() // MIB} MiB in the queue, ready after {ready:.2f} s")
        self.assert_nothing_lost([generator], [oracle], 120)
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=None)


class FullDisk(DiskRow):
    id = "D5"
    title = "ENOSPC: the queue's disk is full"
    budget = 20.0
    broken_by = ("a journal whose reader begins anew when its segment goes (segment.c, leave_list): three requests sent "
                 "twice, the ledger did not close, and 'sending queue is full' for ever")

    def setUp(self):
        super().setUp()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(self.storage)],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.storage)], check=False)

    def test_full(self):
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        generator = self.generator(self.endpoint, "-r", 20_000, "-i", 50)
        wait_for(lambda: generator.count("refused") > 1000, 30, "the full disk refuses", 0.05)
        self.assertTrue(weir.running())
        wait_for(lambda: "No space left on device" in weir.stderr, 5, "the log says why")
        sender = self.managed(rpc.Sender(self.grpc))
        answer = sender.export("traces", load.request("traces", 0, 500, 0, padding=100_000).body)
        self.assertEqual(answer.code, "UNAVAILABLE", answer)
        stored = generator.count()
        oracle = self.backend_up()
        wait_for(lambda: generator.count() > stored + 20_000, 30, "it takes in again, without a restart", 0.05)
        self.figure(f"{stored} items held on 8 MiB, {generator.count('refused')} refused")
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=2000)
        self.assertLessEqual(self.segments(), 2, "space is given back")

    def test_space_that_others_free(self):
        """The disk was full of somebody else's files: weir recovers when they are gone, the backend still down."""
        blocker = self.storage / "blocker"
        with blocker.open("wb") as file:
            file.write(bytes(6 * MIB))
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        generator = self.generator(self.endpoint, "-r", 20_000, "-i", 50)
        wait_for(lambda: generator.count("refused") > 200, 30, "the full disk refuses", 0.05)
        stored = generator.count()
        blocker.unlink()
        wait_for(lambda: generator.count() > stored + 500, 10, "there is room again", 0.02)
        generator.stop()
        self.kill_9(weir)
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        oracle = self.backend_up()
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=2000)

    def test_start_on_a_full_disk(self):
        """What is there is delivered although nothing can be written."""
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        generator = self.generator(self.endpoint, "-n", 5000, "-i", 50)
        generator.wait()
        self.kill_9(weir)
        with (self.storage / "blocker").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                pass
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        oracle = self.backend_up()
        owed = self.assert_nothing_lost([generator], [oracle])
        self.figure(f"{owed} delivered from a disk without a free byte")
        (self.storage / "blocker").unlink()
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=2000)


class Poison(DiskRow):
    id = "D7"
    title = "a request that crashes weir each time it is sent"
    budget = 20.0
    broken_by = "attempts that are never too many (disk_out.c: take_in()): it crashed ten times, for ever"
    POISON = {"WEIR_FAILPOINTS": "sender.send=crash~poison"}

    def poison(self, sender):
        """A request with a word that the fail point knows; who sent it was answered OK."""
        body = load.request("traces", 0, 7, 0).body.replace(b"request", b"poison!", 1)
        self.assertIn(b"poison", body)
        return sender.export("traces", body)

    def run_until_it_lives(self):
        """Restarts as often as a supervisor would; returns (weir that lives on, crashes seen)."""
        for crashes in range(10):
            weir = self.weir(self.disk_config(), args=["--workers", "2"], env=self.POISON, ready=False)
            wait_for(lambda w=weir: not w.running() or "goes to the dead letters" in w.stderr, 20,
                     "a crash, or the end of it", 0.02)
            if weir.running():
                return weir, crashes
        self.fail("it crashes for ever")

    def test_poison(self):
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        generator = self.generator(self.endpoint, "-n", 2000, "-i", 20)
        generator.wait()
        self.assertEqual(self.poison(self.managed(rpc.Sender(self.grpc))).code, "OK")
        behind = self.generator(self.endpoint, "-n", 2000, "-i", 20)
        behind.wait()
        self.kill_9(weir)  # with the backend down: it has never been sent
        oracle = self.backend_up()
        weir, crashes = self.run_until_it_lives()
        self.assertEqual(crashes, 3, "attempts until it is given up")
        wait_for(lambda: oracle.items() >= 4000, 30, "all others arrive")
        generators = [generator, behind]
        self.send_fresh(self.endpoint, [oracle])
        self.assert_nothing_lost(generators, [oracle])
        self.assert_nothing_unknown(generators, [oracle])
        ledger = self.assert_ledger_closes(weir)
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["drops"], {"poison": 7})
        self.figure(f"given up after {crashes} crashes; 4000 others arrived")
        self.replay(oracle, generators)

    def replay(self, oracle, generators):
        """The dead letter is sent again, through a weir that is not poisoned by it."""
        before = oracle.report()["unnumbered"]
        weir = self.weir(self.otlp_config(f"127.0.0.1:{self.backend}", grpc=self.grpc, http=self.http,
                                          signals=("traces",)), args=["--workers", "2"])
        done = run("queue", "replay", self.storage, "--dead", "--endpoint", f"http://127.0.0.1:{self.http}")
        self.assertEqual((done.code, done.stdout), (0, "replayed 1 requests with 7 items, 0 left\n"), done)
        wait_for(lambda: oracle.report()["unnumbered"] == before + 7, 10, "the dead letter arrives")
        self.assertIn(" 0 good, 0 bad", run("queue", "verify", self.storage).stdout)
        self.assert_ledger_closes(weir)


class StopWithBackendDown(DiskRow):
    id = "D8"
    title = "SIGTERM with the backend down, then a restart"
    budget = 20.0
    grace = 5.0
    broken_by = ("a queue on disk that drops what is interrupted, as one in memory does (transfer.c: interrupt()): 1200 "
                 "items of 20000 dropped at SIGTERM, 20750 with batching")

    def stop_and_start(self, queue):
        options = {"signals": ("traces", "logs"), "queue": queue}
        weir = self.weir(self.disk_config(**options), args=["--workers", "2"])
        generator = self.generator(self.endpoint, "-r", 20_000, "-i", 50, "-s", "traces,logs", "--timeout=1s")
        generator.wait_acknowledged(20_000)
        begun = time.monotonic()
        ended = weir.stop(self.grace)  # under load, retries under way
        took = time.monotonic() - begun
        generator.stop()
        self.assertEqual(ended.code, 0)
        ledger = Ledger(ended.stderr)
        self.assertTrue(ledger.closes, ended.stderr[-4000:])
        rows = [ledger.row(s, "exporter", "otlp_grpc") for s in ("traces", "logs")]
        self.assertEqual(sum(r["dropped"] + r["out"] for r in rows), 0)
        held = sum(r["held"] for r in rows)
        self.assertGreaterEqual(held, generator.count())
        again = self.weir(self.disk_config(**options), args=["--workers", "2"])
        self.assert_ledger_closes(again)  # and once more, while everything is being tried
        oracle = self.backend_up()
        weir = self.weir(self.disk_config(**options), args=["--workers", "2"])
        ledger = self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=0)
        made = sum(ledger.row(s, "exporter", "otlp_grpc")["made"] for s in ("traces", "logs"))
        self.assertEqual(made, held, "the restart finds what the exit reported")
        self.figure(f"{held} held at exit, stopped within {took:.1f} s")

    def test_plain(self):
        self.stop_and_start(None)

    def test_batching(self):
        """What batches are being made of stays in the queue, too."""
        self.stop_and_start({"batch": {"min_size": 2000, "max_size": 3000, "flush_timeout": "200ms"}})

    def test_backend_that_hangs(self):
        """Nothing is refused, nothing answered: what is under way stays in the queue as well."""
        hanging = self.gate(1, black_hole=True)
        self.backend = int(hanging.address.rsplit(":", 1)[1])
        weir = self.weir(self.disk_config(), args=["--workers", "2", "--drain-timeout", "2s"])
        generator = self.generator(self.endpoint, "-n", 5000, "-i", 50)
        generator.wait()
        begun = time.monotonic()
        ledger = self.assert_ledger_closes(weir)
        took = time.monotonic() - begun
        self.assertLess(took, self.grace)
        self.assertEqual(ledger.row("traces", "exporter", "otlp_grpc")["held"], 5000)
        hanging.close()
        self.backend = self.free_port()
        oracle = self.backend_up()
        weir = self.weir(self.disk_config(), args=["--workers", "2"])
        self.figure(f"hung backend: stopped within {took:.1f} s")
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, window=0)


class LargeBacklog(Backlog):
    id = "D9"
    title = "a backlog of 2 GiB"
    tier = "n"
    budget = 120.0
    alone = True
    broken_by = ("segments that are not let go when all of them is delivered (segment.c: segments_reclaim()): the disk "
                 "was not given back")
    mib = 2048
    rate = 200  # items a second that come in while it drains

    def test_drain(self):
        weir = self.weir(self.disk_config(ack="memory"), args=["--workers", "2"])
        generator = self.fill(self.mib)
        backlog, item = self.disk_bytes(), self.disk_bytes() / generator.count()
        live = self.generator(self.endpoint, "-i", 10, "--attribute-size=1500", "-r", self.rate)
        live.wait_acknowledged(self.rate)
        oracle = self.backend_up()
        begun, before = time.monotonic(), live.count()
        fresh = self.send_fresh(self.endpoint, [oracle], 240)
        wait_for(lambda: self.segments() <= 2, 30, "the disk is given back", 0.1)
        took = time.monotonic() - begun
        ingest, drained = (live.count() - before) * item / took, backlog / took
        self.figure(f"{backlog // MIB} MiB drained in {took:.1f} s, {drained / MIB:.0f} MiB/s beside {ingest / MIB:.1f} "
                    f"MiB/s that came in, the newest record after {fresh:.1f} s, {self.segments()} segments left")
        self.assertGreater(drained, 5 * ingest)
        self.assertEqual(live.count("refused"), 0)
        self.judge(weir, [generator, live], [oracle], endpoint=self.endpoint, window=0, memory=512)
