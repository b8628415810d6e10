# SPDX-License-Identifier: Apache-2.0
"""The harness itself: without a fault every rule holds, and its parts do what they say."""

import time

from faultlib import Row, ranges, shim


class Harness(Row):
    id = "H0"
    title = "none: the harness without a fault, and its parts"
    budget = 15.0
    broken_by = "an oracle that forgot one number, a generator that wrote down one acknowledgement too many"

    def start(self, sink):
        """Without queue, so that what the oracle says is the answer."""
        self.grpc = self.free_port()
        self.endpoint = f"127.0.0.1:{self.grpc}"
        return self.weir(self.otlp_config(sink, grpc=self.grpc, exporter={"sending_queue": {"enabled": False}}))

    def test_all_rules(self):
        oracle = self.oracle()
        weir = self.start(oracle.grpc)
        generator = self.generator(self.endpoint, "-r", 5000, "-i", 50)
        generator.wait_acknowledged(3000)
        self.judge(weir, [generator], [oracle], endpoint=self.endpoint, memory=64)

    def test_what_is_lost_is_found(self):
        oracle = self.oracle()
        weir = self.start(oracle.grpc)
        generator = self.generator(self.endpoint, "-n", 500)
        generator.wait()
        with generator.obligations.open("a") as file:
            file.write(f"ack {generator.run} 0000 traces 500 7\n")
        with self.assertRaisesRegex(TimeoutError, "U2: 7 acknowledged items are missing"):
            self.assert_nothing_lost([generator], [oracle], 0.3)
        self.assert_ledger_closes(weir)

    def test_oracle_is_told_how_to_answer(self):
        oracle = self.oracle()
        weir = self.start(oracle.grpc)
        oracle.change(fail_rate=1, fail_code="InvalidArgument")
        refused = self.generator(self.endpoint, "-n", 300).wait()
        oracle.change(fail_rate=0)
        self.assertEqual((refused["items_refused"], oracle.items()), (300, 0))
        self.send_fresh(self.endpoint, [oracle])
        self.assert_ledger_closes(weir)

    def test_gate(self):
        oracle = self.oracle()
        gate = self.gate(oracle.grpc_port)
        direct = lambda timeout="10s": self.generator(gate.address, "-n", 100, f"--timeout={timeout}").wait()
        self.assertEqual(direct()["items_acknowledged"], 100)
        gate.set(delay=0.3)
        begun = time.monotonic()
        self.assertEqual(direct()["items_acknowledged"], 100)
        self.assertGreater(time.monotonic() - begun, 0.6)
        gate.set(delay=0, black_hole=True)
        self.assertEqual(direct("1s")["items_acknowledged"], 0)
        gate.set(black_hole=False)
        gate.down()
        self.assertEqual(direct("1s")["items_acknowledged"], 0)
        gate.up()
        self.assertEqual(direct()["items_acknowledged"], 100)

    def test_shim_shifts_the_wall_clock_only(self):
        from weirtest.child import Child
        control = self.shim()
        control.shift_wall_clock(-3600)
        before = time.time()
        child = Child(["/usr/bin/python3", "-c",
                       "import time; print(time.time(), time.clock_gettime(time.CLOCK_MONOTONIC))"],
                      env=control.env)
        child.wait()
        wall, monotonic = map(float, child.stdout.split())
        self.assertAlmostEqual(wall, before - 3600, delta=30)
        self.assertAlmostEqual(monotonic, time.clock_gettime(time.CLOCK_MONOTONIC), delta=30)

    def test_shim_fails_and_records(self):
        from weirtest.child import Child
        path = self.folder / "written"
        script = ("import os; f = os.open(os.sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
                  "for i in range(3):\n"
                  "    try: print(os.pwrite(f, b'abcdef', 6 * i))\n"
                  "    except OSError as e: print(e.errno)\n"
                  "os.rename(os.sys.argv[1], os.sys.argv[1] + '2')")
        control = self.shim(shim.rule("pwrite", nth=2, errno="EIO", path="written"),
                            shim.rule("pwrite", nth=3, short=2, path="written"), record="written")
        child = Child(["/usr/bin/python3", "-c", script, path], env=control.env)
        self.assertEqual(child.wait(), 0, child.stderr)
        self.assertEqual(child.stdout.split(), ["6", "5", "2"])
        self.assertEqual((control.met, control.calls(0)), (2, 3))
        self.assertEqual([(o.call, o.offset, o.result, o.data) for o in control.operations()],
                         [("create", 0, 0, b""), ("pwrite", 0, 6, b"abcdef"), ("pwrite", 12, 2, b"ab"),
                          ("rename", 0, 0, b"")])

    def test_shim_loses_what_was_not_synced(self):
        from weirtest.child import Child
        path = self.folder / "synced"
        script = ("import os; f = os.open(os.sys.argv[1], os.O_WRONLY | os.O_CREAT)\n"
                  "for i in range(6):\n"
                  "    os.pwrite(f, b'abcdef', 6 * i)\n"
                  "    try: os.fdatasync(f); print('good')\n"
                  "    except OSError as e: print(e.errno)")
        control = self.shim(shim.rule("fdatasync", nth=2, every=3, errno="EIO", lose=1, path="synced"))
        child = Child(["/usr/bin/python3", "-c", script, path], env=control.env)
        self.assertEqual(child.wait(), 0, child.stderr)
        self.assertEqual(child.stdout.split(), ["good", "5", "good", "good", "5", "good"])
        self.assertEqual(path.read_bytes(), b"abcdef" + bytes(6) + 2 * b"abcdef" + bytes(6) + b"abcdef")

    def test_ranges(self):
        self.assertEqual(ranges.subtract([(0, 10), (20, 30)], [(3, 5), (9, 22), (29, 40)]),
                         [(0, 3), (5, 9), (22, 29)])
