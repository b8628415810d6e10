# SPDX-License-Identifier: Apache-2.0
"""R2 and R5: memory under pressure, and a wall clock that jumps."""

import os
import subprocess
import time
import unittest.mock

from faultlib import Row, sample, wait_for
from faultlib.cgroup import MemoryGroup, Unavailable
from weirtest import paths


class MemoryPressure(Row):
    id = "R2"
    title = "64 MiB and several times the load that the backend takes"
    budget = 40.0
    broken_by = ("a memory limiter that admits everything: the cgroup's kernel killed it, RSS of 65 MiB under "
                 "RLIMIT_DATA")

    SECONDS = 6.0
    BUDGET_MIB = 64
    PERMITTED_MIB = 58

    def config(self, sink, **limit):
        # A queue larger than the memory there is, so that the limiter is what holds.
        config = self.otlp_config(
            sink, grpc=self.grpc, http=self.http, processors=["memory_limiter"], exporter={
                "sending_queue": {"sizer": "bytes", "queue_size": 1 << 30, "num_consumers": 4}, "timeout": "60s",
                "compression": "none"})
        config["processors"]["memory_limiter"] = {"check_interval": "100ms", **limit}
        return config

    def overload(self, program, **limit):
        """Load at both doors until both refuse, and for a while longer. Returns weir, the loads, the gate
        and the oracle."""
        oracle = self.oracle()
        gate = self.gate(oracle.grpc_port, rate=1_500_000)
        self.grpc, self.http = self.free_port(), self.free_port()
        with unittest.mock.patch.dict(os.environ, WEIR=str(program)):
            weir = self.weir(self.config(gate.address, **limit), args=["--workers", "2"])
        if weir.sanitized():
            self.skipTest("a sanitizer needs more memory than that")
        loads = [self.generator(f"127.0.0.1:{self.grpc}", "-c", 2, "--in-flight=8", "-s", "traces,logs"),
                 self.generator(f"http://127.0.0.1:{self.http}", "-p", "http", "-c", 4, "--compression=gzip")]
        wait_for(lambda: not weir.running() or all(g.count("refused") for g in loads), 30, "both refuse")
        accepted = sum(g.count() for g in loads)
        # Overload is a matter of how long, and of how much.
        begun = time.monotonic()
        wait_for(lambda: not weir.running() or time.monotonic() - begun > self.SECONDS and
                 sum(g.count("refused") for g in loads) > 3 * accepted, 30, "four times the load")
        self.assertTrue(weir.running(), f"killed: {weir.stderr[-2000:]}")
        return weir, loads, gate, oracle

    def finish(self, weir, loads, gate, oracle, what):
        summaries = [load.stop() for load in loads]
        peak = sample.peak_mib(weir.pid)
        self.assertLessEqual(peak, self.PERMITTED_MIB, "RSS")
        for text in set().union(*(s["errors"] for s in summaries)):
            self.assertRegex(text, r"^(Unavailable|ResourceExhausted|HTTP 503|HTTP 429)", "a lasting refusal")
        accepted = sum(s["items_acknowledged"] for s in summaries)
        refused = sum(s["items_refused"] for s in summaries)
        self.figure(f"{what}: RSS {peak:.0f} MiB, {accepted} taken, {refused} refused")
        gate.set(rate=0)
        self.judge(weir, loads, [oracle], endpoint=f"127.0.0.1:{self.grpc}")

    def test_group(self):
        """The kernel kills what takes more; weir finds the limit by itself."""
        try:
            group = self.managed(MemoryGroup(self.BUDGET_MIB << 20, self.folder))
        except Unavailable as reason:
            self.figure(f"no cgroup: {reason}")  # test_limit is without
            return
        run = self.overload(group.wrap(paths.weir_bin()), limit_percentage=65, spike_limit_percentage=15)
        self.assertEqual(group.kills(), 0)
        self.finish(*run, "cgroup")

    def test_limit(self):
        """No process gets more private memory than its RLIMIT_DATA, on any machine."""
        script = self.folder / "limited"
        script.write_text("#!/bin/sh\n"
                          f"exec prlimit --data={self.BUDGET_MIB << 20} --stack={1 << 20} -- "
                          f"\"{paths.weir_bin()}\" \"$@\"\n")
        script.chmod(0o755)
        run = self.overload(script, limit_mib=self.BUDGET_MIB * 65 // 100, spike_limit_mib=10)
        self.finish(*run, "RLIMIT_DATA")


class ClockJumps(Row):
    id = "R5"
    title = "the wall clock jumps by an hour and a year, either way, and creeps"
    budget = 25.0
    broken_by = ("a worker's clock that is the wall clock: retries given up, batches that stopped, ended by the "
                 "watchdog")

    HOUR, YEAR = 3600, 365 * 86400
    JUMPS = (HOUR, -HOUR, YEAR, -YEAR, 0)
    WORKERS = 2

    def start(self, queue=None, **exporter):
        self.oracle_ = self.oracle()
        self.clock = self.shim()
        self.grpc = self.free_port()
        self.endpoint = f"127.0.0.1:{self.grpc}"
        self.config = self.otlp_config(self.oracle_.grpc, grpc=self.grpc, processors=["batch"], exporter={
            "sending_queue": {"queue_size": 1_000_000, "sizer": "items", **(queue or {})}, **exporter})
        self.config["processors"]["batch"] = {"timeout": "200ms", "send_batch_size": 100_000}
        if queue:
            self.config["extensions"] = {"file_storage": {"directory": str(self.folder)}}
            self.config["service"]["extensions"] = ["file_storage"]
        return self.weir(self.config, env=self.clock.env, args=["--workers", self.WORKERS])

    def creep(self):
        """A clock that is set right in small steps."""
        for step in range(200):
            self.clock.shift_wall_clock(step / 100)
            time.sleep(0.005)

    def through_all_jumps(self, most_per_second):
        """The backend hears from weir again after each jump, and never more than that often: counted from the
        beginning, so that a busy machine which stands still for a while does no harm. Returns the rate."""
        first, begun = self.oracle_.report()["requests"], time.monotonic()
        for jump in self.JUMPS:
            self.clock.shift_wall_clock(jump)
            before, then = self.oracle_.report()["requests"], time.monotonic()
            # A burst would come at once.
            wait_for(lambda: self.oracle_.report()["requests"] >= before + 3 and
                     time.monotonic() > then + 0.8, 15, f"nothing was sent after a jump to {jump} s", 0.05)
        self.creep()
        seconds = time.monotonic() - begun
        requests = self.oracle_.report()["requests"] - first
        self.assertLessEqual(requests, most_per_second * seconds + 20, "a burst")
        return requests / seconds

    def test_timers_go_on(self):
        """Batches still come every 200 ms: no stall, no burst."""
        weir = self.start()
        load = self.generator(self.endpoint, "-r", 400, "-i", 4)
        load.wait_acknowledged(100)
        # One batch every 200 ms from each worker; twice that is a burst.
        rate = self.through_all_jumps(2 * 5 * self.WORKERS)
        self.figure(f"{rate:.0f} batches/s")
        self.judge(weir, [load], [self.oracle_], endpoint=self.endpoint)

    def test_queue_does_not_expire(self):
        """What waits to be sent again is neither given up nor sent at once because it is next year."""
        weir = self.start(retry_on_failure={"initial_interval": "300ms", "max_interval": "600ms",
                                            "max_elapsed_time": "120s"})
        self.oracle_.change(fail_rate=1, fail_code="Unavailable")
        load = self.generator(self.endpoint, "-r", 400, "-i", 4)
        load.wait_acknowledged(200)
        # Ten consumers, each waits 150 ms or more between its attempts.
        rate = self.through_all_jumps(10 / 0.15)
        load.stop()
        self.oracle_.change(fail_rate=0)
        ledger = self.judge(weir, [load], [self.oracle_], endpoint=self.endpoint)
        self.assertEqual(sum(row["dropped"] for row in ledger.rows), 0)
        self.figure(f"{rate:.0f} retries/s")

    def test_queue_on_disk_does_not_expire(self):
        """It outlasts a restart in which a year went by, and one in which it was taken back."""
        weir = self.start(queue={"storage": "file_storage"})
        self.oracle_.change(fail_rate=1, fail_code="Unavailable")
        loads = []
        for jump in (self.YEAR, -self.YEAR, 0):
            loads.append(self.generator(self.endpoint, "-n", 1000))
            loads[-1].wait()
            # The queue has what batch held when weir has stopped.
            self.assertEqual(weir.stop().code, 0, weir.stderr[-2000:])
            self.clock.shift_wall_clock(jump)
            weir = self.weir(self.config, env=self.clock.env, args=["--workers", self.WORKERS])
        self.oracle_.change(fail_rate=0)
        self.judge(weir, loads, [self.oracle_], endpoint=self.endpoint)

    def test_boot_time(self):
        """A machine that has been up for three years."""
        offset = "100000000"
        for alone in ([], ["-r"]):  # as root, and in a user namespace
            command = ["unshare", *alone, "-T", "--monotonic", offset, "--boottime", offset]
            probe = subprocess.run([*command, "cat", "/proc/uptime"], capture_output=True, text=True)
            if probe.returncode == 0 and float(probe.stdout.split()[0]) > float(offset):
                break
        else:
            self.figure("no time namespaces here")
            return
        script = self.folder / "in-time-namespace"
        script.write_text(f'#!/bin/sh\nexec {" ".join(command)} "{paths.weir_bin()}" "$@"\n')
        script.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, WEIR=str(script)):
            weir = self.start()
        load = self.generator(self.endpoint, "-n", 2000)
        load.wait()
        self.judge(weir, [load], [self.oracle_], endpoint=self.endpoint)
