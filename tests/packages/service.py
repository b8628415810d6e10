# SPDX-License-Identifier: Apache-2.0
"""The service under a real systemd: it starts as installed, answers, reloads, is watched, and goes without a trace."""

import json
import re

import container
from common import check, note
from unit import EXPOSURE_MAX

TO_FILE = """exporters:
  file:
    path: ${env:STATE_DIRECTORY}/spans.json
service:
  pipelines:
    traces:
      exporters: [file]
"""
PORT_80 = """receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:80
"""
BINDS = "[Service]\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
SPAN = ('{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",'
        '"spanId":"eee19b7ec3c1b174","name":"%s","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}')


def journal(box):
    return box.sh("journalctl -u weir --no-pager -o cat | tail -n 30").stdout


def post(box, name, port=4318):
    done = box.call("curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
                    "-d", SPAN % name, f"http://127.0.0.1:{port}/v1/traces")
    return done.stdout.strip()


def groups(box):
    return box.sh("grep ^Groups: /proc/$(systemctl show -P MainPID weir)/status").stdout.split()[1:]


def check_start(box):
    state = box.show("ActiveState")
    check("the service runs when apt-get has ended", state == "active", f"{state}\n{journal(box)}")
    check("and is enabled", box.call("systemctl", "is-enabled", "weir").stdout.strip() == "enabled")
    check("weir.socket is not", box.call("systemctl", "is-enabled", "weir.socket").stdout.strip() == "disabled")
    check("weir healthcheck", box.wait(lambda: box.call("weir", "healthcheck").returncode == 0), journal(box))
    main = box.show("MainPID")
    status = box.call("cat", f"/proc/{main}/status").stdout
    check("it does not run as root", re.search(r"^Uid:\t(?!0\t)", status, re.MULTILINE) is not None, status)
    check("it has no capability", "CapBnd:\t0000000000000000" in status, status)
    listening = box.sh("cat /proc/net/tcp | awk 'NR > 1 && $4 == \"0A\" {print $2}'").stdout.split()
    check("it listens on the local host only", listening and all(where.startswith("0100007F:") for where in listening),
          " ".join(listening))
    rss = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE).group(1)
    note(f"gateway under systemd: RSS {rss} KiB, {box.show('StatusText')}")
    score = box.call("systemd-analyze", "security", "weir.service").stdout
    exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", score).group(1))
    check(f"systemd-analyze security: {exposure} is under {EXPOSURE_MAX}", exposure < EXPOSURE_MAX, score)


def check_traffic(box):
    for protocol, port in (("grpc", "127.0.0.1:4317"), ("http", "http://127.0.0.1:4318")):
        done = box.call("weir-load", "-q", "-p", protocol, "-e", port, "-n", "1000", "--json=-")
        try:
            summary = next(line for line in done.stdout.splitlines() if line.startswith("{"))
            acknowledged = json.loads(summary)["items_acknowledged"]
        except (StopIteration, ValueError, KeyError):
            acknowledged = done.stdout
        check(f"1000 spans over {protocol} are acknowledged", acknowledged == 1000, str(acknowledged))


def check_reload(box):
    box.put("/etc/weir/conf.d/file.yaml", TO_FILE)
    done = box.call("systemctl", "reload", "weir")
    check("reload puts conf.d into effect", done.returncode == 0, done.stdout + journal(box))
    code = post(box, "to-the-file")
    check("a span goes to the exporter that conf.d added, into /var/lib/weir",
          code == "200" and box.wait(lambda: box.sh("grep -q to-the-file /var/lib/weir/spans.json").returncode == 0),
          code + journal(box))
    main = box.show("MainPID")
    box.put("/etc/weir/conf.d/wrong.yaml", "exporters:\n  fil: {}\n")
    done = box.call("systemctl", "reload", "weir")
    check("reload fails when the configuration is wrong", done.returncode != 0, journal(box))
    check("and the service runs on", box.show("MainPID") == main and post(box, "after-a-wrong-reload") == "200", journal(box))
    box.call("rm", "/etc/weir/conf.d/wrong.yaml")


def check_supervision(box):
    restarts = int(box.show("NRestarts"))
    box.sh("kill -SEGV $(systemctl show -P MainPID weir)")
    check("it is started again after a crash", box.wait(lambda: int(box.show("NRestarts")) > restarts
                                                        and box.show("ActiveState") == "active"), journal(box))
    box.put("/run/systemd/system/weir.service.d/watch.conf", "[Service]\nWatchdogSec=3s\n")
    box.sh("systemctl daemon-reload && systemctl restart weir")
    restarts = int(box.show("NRestarts"))
    box.sh("kill -STOP $(systemctl show -P MainPID weir)")
    check("it is started again when it hangs", box.wait(lambda: int(box.show("NRestarts")) > restarts
                                                        and box.show("ActiveState") == "active", 60), journal(box))
    box.sh("rm -r /run/systemd/system/weir.service.d && systemctl daemon-reload && systemctl restart weir")


def check_drop_in(box):
    box.put("/etc/systemd/system/weir.service.d/port.conf", BINDS + "SupplementaryGroups=adm\n")
    box.put("/etc/weir/conf.d/port.yaml", PORT_80)
    box.sh("systemctl daemon-reload && systemctl restart weir")
    check("with the capability in a drop-in it listens on port 80", post(box, "port-80", 80) == "200", journal(box))
    check("and with a group it is a member of that", "4" in groups(box), " ".join(groups(box)))
    box.sh("rm -r /etc/systemd/system/weir.service.d /etc/weir/conf.d/port.yaml && systemctl daemon-reload && systemctl restart weir")


def check_socket(box):
    box.sh("systemctl stop weir.service && systemctl enable --now weir.socket")
    check("weir.socket listens while the service does not run", box.show("ActiveState") == "inactive"
          and box.show("ActiveState", "weir.socket") == "active")
    code = post(box, "first-of-all")
    check("the first request starts it and is answered", code == "200" and box.show("ActiveState") == "active", code + journal(box))
    code = box.sh("systemctl restart weir & " + "curl -s -m 20 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' "
                  f"-d '{SPAN % 'meanwhile'}' http://127.0.0.1:4318/v1/traces; wait").stdout.strip()
    check("a request during a restart is answered", code == "200", code + journal(box))
    box.sh("systemctl disable --now weir.socket && systemctl restart weir.service")


def check_plugins_come_and_go(box):
    """A vendor's plugin, with a group for the service in a drop-in of its package."""
    build = """set -e
cd /root && mkdir -p vendor/DEBIAN vendor/lib/systemd/system/weir.service.d
folder=vendor$(dirname /usr/lib/*/weir/plugins-1/receivers/otlp.so)
mkdir -p $folder && cp ${folder#vendor}/otlp.so $folder/vendor.so
printf '[Service]\\nSupplementaryGroups=adm\\n' >vendor/lib/systemd/system/weir.service.d/weir-receiver-vendor.conf
printf '%s\\n' 'Package: weir-receiver-vendor' 'Version: 1' "Architecture: $(dpkg --print-architecture)" 'Maintainer: V <v@v.example>' \
    'Depends: weir-plugin-abi-1 (>= 1.0)' 'Description: vendor' >vendor/DEBIAN/control
dpkg-deb -b vendor vendor.deb
dpkg -i vendor.deb
rm -r vendor vendor.deb
"""
    main = box.show("MainPID")
    done = box.sh(build)
    check("a vendor's plugin is installed", done.returncode == 0, done.stdout)
    check("the service is started again when a plugin comes", box.show("ActiveState") == "active" and box.show("MainPID") != main,
          journal(box))
    check("with the group that its package brings", "4" in groups(box), " ".join(groups(box)))
    main = box.show("MainPID")
    box.call("apt-get", "-qq", "-y", "purge", "weir-receiver-vendor")
    check("and when it goes, without the group", box.show("ActiveState") == "active" and box.show("MainPID") != main
          and "4" not in groups(box), journal(box))


def check_bare(box):
    done = box.call("apt-get", "-qq", "-y", "install", "--no-install-recommends", "weir")
    check("apt-get install weir, with no plugin", done.returncode == 0, done.stdout)
    check("it is not started, and has not failed", box.show("ActiveState") == "inactive" and box.show("ConditionResult") == "no",
          journal(box))
    box.call("apt-get", "-qq", "-y", "purge", "--autoremove", "weir")


def check_end(box, before):
    box.call("systemctl", "stop", "weir")
    check("it stops cleanly", box.show("Result") == "success" and box.show("ExecMainStatus") == "0", journal(box))
    box.call("rm", "-f", "/etc/weir/conf.d/file.yaml")
    box.call("systemctl", "start", "weir")
    done = box.sh("apt-get -qq -y purge --autoremove weir-gateway && apt-get -qq -y purge --autoremove weir weir-tools")
    check("apt-get purge", done.returncode == 0, done.stdout)
    check("the service is gone", box.show("LoadState") == "not-found" and box.sh("pgrep -x weir").returncode != 0)
    left = sorted(box.files() ^ before)
    check("no file is left", not left, " ".join(left))


def main(work):
    container.make_image(work, ["weir-gateway", "weir-tools"])
    with container.Container(work) as box:
        before = box.files()
        done = box.call("apt-get", "-qq", "-y", "install", "weir-gateway", "weir-tools")
        if not check("apt-get install weir-gateway weir-tools under systemd", done.returncode == 0, done.stdout):
            return
        check_start(box)
        check_traffic(box)
        check_reload(box)
        check_supervision(box)
        check_drop_in(box)
        check_socket(box)
        check_plugins_come_and_go(box)
        check_end(box, before)
        check_bare(box)
