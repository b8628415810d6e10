# SPDX-License-Identifier: Apache-2.0
"""answers.py ROOT: runs the installed weir in a chroot as its unit would, sends a span, and prints what it saw as JSON.

To be started in a network namespace of its own (unshare -n): the ports are those of the packaged configuration.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

COMMAND = ["/usr/bin/weir", "--config=/etc/weir/config.yaml", "--config=dir:/etc/weir/conf.d"]
SPAN = {"resourceSpans": [{"scopeSpans": [{"spans": [{
    "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "packaged", "kind": 1,
    "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000"}]}]}]}


def request(url, body=None):
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=5) as answer:
        return answer.status, answer.read().decode()


def wait(predicate, patience=30):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            value = predicate()
            if value:
                return value
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    return None


def received():
    lines = request("http://127.0.0.1:8888/metrics")[1].splitlines()
    return any(line.startswith("otelcol_receiver_accepted_spans") and float(line.split()[-1]) == 1 for line in lines)


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def main():
    root = sys.argv[1]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open(os.path.join(root, "tmp", "weir.log"), "w", encoding="utf-8") as log:
        weir = subprocess.Popen(["chroot", root, *COMMAND], stdout=log, stderr=log)
        try:
            start = time.monotonic()
            saw = {"healthy": bool(wait(lambda: request("http://127.0.0.1:13133/")[0] == 200))}
            saw["ready_ms"] = round((time.monotonic() - start) * 1000)
            time.sleep(1)
            saw["idle_kib"] = resident(weir.pid)
            saw["healthcheck"] = subprocess.run(["chroot", root, "/usr/bin/weir", "healthcheck"], check=False).returncode
            saw["answer"] = request("http://127.0.0.1:4318/v1/traces", SPAN)[0]
            saw["counted"] = bool(wait(received))
        finally:
            weir.send_signal(signal.SIGTERM)
            try:
                saw["exit"] = weir.wait(40)
            except subprocess.TimeoutExpired:
                weir.kill()
    with open(log.name, encoding="utf-8", errors="replace") as file:
        saw["log"] = file.read()[-3000:]
    json.dump(saw, sys.stdout)


main()
