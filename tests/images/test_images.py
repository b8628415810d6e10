# SPDX-License-Identifier: Apache-2.0
"""The container images: what is in them, how they run with the users' configurations and limits."""

import gzip
import io
import json
import os
import tarfile

from imagetest import HARDENED, ROLES, ImageCase, build, podman
from weirtest import messages, paths, rawhttp, rpc, wait_for
from weirtest.pki import Authority

CONFIGS = paths.TOP / "tests" / "configs"
# What the users give a sidecar.
SIDECAR = ["--memory", "128m", "--memory-swap", "128m", "--cpus", "0.1"]
GATEWAY_NAME = "otel-gateway.observability.svc.cluster.local"


class TestImages(ImageCase):
    """Each role's image by itself."""

    def files(self, role):
        """The files of an image as tarfile.TarInfo by name, and how many bytes all of it is when compressed."""
        name = podman("create", f"weir:{role}").stdout.decode().strip()
        try:
            data = podman("export", name).stdout
        finally:
            podman("rm", name)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return {"/" + member.name: member for member in archive}, len(gzip.compress(data, 6))

    def test_what_is_in_them(self):
        for role in ROLES:
            with self.subTest(role=role):
                files, compressed = self.files(role)
                plugins = {tuple(name.split("/")[-2:]) for name, file in files.items()
                           if "/plugins-" in name and file.isfile()}
                wanted = [line.split("/") for line in (paths.TOP / "roles" / role).read_text().splitlines()
                          if line and line[0] != "#"]
                self.assertEqual(plugins, {(kind, f"{name}.so") for kind, name in wanted})
                programs = [name for name, file in files.items() if file.isfile() and file.mode & 0o111 and ".so" not in name]
                self.assertEqual(programs, ["/usr/bin/weir"], "no shell")
                self.assertEqual([n for n, f in files.items() if f.isfile() and (f.mode & 0o6022 or f.uid != 0)], [],
                                 "nobody but root can change a file")
                owned = [name for name, file in files.items() if file.uid == 10001]
                self.assertEqual([name.rstrip("/") for name in owned], ["/var/lib/weir"])
                self.assertIn("/usr/share/doc/libc6/copyright", files)
                self.assertIn("/var/lib/dpkg/status.d/libc6", files)
                size = int(podman("image", "inspect", "--format", "{{.Size}}", f"weir:{role}").stdout)
                print(f"\nweir:{role}: {size / 1e6:.1f} MB, {compressed / 1e6:.1f} MB to pull, {len(plugins)} plugins")
        self.assertLess(int(podman("image", "inspect", "--format", "{{.Size}}", "weir:sidecar").stdout), 12.5e6)

    def test_what_they_say_of_themselves(self):
        for role in ROLES:
            image = json.loads(podman("image", "inspect", f"weir:{role}").stdout)[0]
            config = image["Config"]
            self.assertEqual(config["User"], "10001:10001")
            self.assertEqual(config["Entrypoint"], ["/usr/bin/weir"])
            self.assertEqual(config["Cmd"], ["--config=/etc/otelcol/config.yaml"])
            self.assertEqual(image["Healthcheck"]["Test"], ["CMD", "/usr/bin/weir", "healthcheck"])
            self.assertEqual(config["Labels"]["org.opencontainers.image.title"], f"weir-{role}")
            self.assertEqual(config["Labels"]["org.opencontainers.image.created"], "2023-11-14T22:13:20Z")
            self.assertEqual(image["Created"], "2023-11-14T22:13:20Z")

    def test_they_can_be_made_again(self):
        role = ROLES[-1]
        self.assertEqual(build(role, "again"), self.ids[role])

    def test_by_themselves(self):
        """With no arguments: ready, well, takes in each signal, and ends when asked."""
        for role in ROLES:
            with self.subTest(role=role):
                container = self.start(role)
                container.wait_healthy()
                idle = container.kib("VmRSS")
                sender = self.sender()
                for signal in messages.SIGNALS:
                    self.assertEqual(sender.export(signal, messages.simple(signal, 10)).code, "OK")
                answer = rawhttp.post(4318, "/v1/logs", messages.simple("logs", 10).SerializeToString())
                self.assertEqual(answer.status, 200, answer.body)
                ledger = self.stop_cleanly(container)
                self.assertEqual(ledger.row("logs", "exporter", "debug")["out"], 20)
                print(f"\nweir:{role}: {idle / 1024:.1f} MiB resident when idle")

    def test_no_shell_and_sick_when_it_is(self):
        container = self.start("sidecar", "--config=/etc/otelcol/config.yaml",
                               "--set=extensions.health_check.endpoint=127.0.0.1:1313")
        wait_for(lambda: "Everything is ready" in container.log, 30, "a ready container")
        self.assertFalse(container.healthy())
        self.assertEqual(podman("exec", container.name, "/usr/bin/weir", "healthcheck", "--endpoint",
                                "http://127.0.0.1:1313").returncode, 0)
        self.assertNotEqual(podman("exec", container.name, "/bin/sh", "-c", "true", check=False).returncode, 0)
        self.stop_cleanly(container)

    def test_configurations_of_users(self):
        """Each loads in the image of its role."""
        for role, name in (("sidecar", "sidecar"), ("sidecar", "sidecar-optimized"), ("gateway", "gateway"),
                           ("gateway", "operator-gateway")):
            with self.subTest(config=name):
                done = podman("run", "--rm", "--network", "none", *HARDENED, "-e", "MY_POD_NAME=a", "-e", "MY_POD_NAMESPACE=b", "-v",
                              f"{CONFIGS / name}.yaml:/etc/otelcol/config.yaml:ro", f"weir:{role}", "validate",
                              "--config=/etc/otelcol/config.yaml", check=False)
                self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_sidecar_in_its_limits(self):
        """The users' sidecar.yaml, 128 MiB and a tenth of a core: what was answered OK arrives, once."""
        folder = self.folder()
        authority = Authority(folder)
        os.chmod(authority.pem, 0o644)
        os.chmod(authority.pem.parent, 0o755)
        sink = self.network.at_far_end(rpc.Sink, port=4317, host=self.network.far,
                                       tls=authority.issue(san=f"DNS:{GATEWAY_NAME}"))
        self.addCleanup(sink.close)
        container = self.start("sidecar", "--config=/etc/otelcol/config.yaml", options=[
            *SIDECAR, "-v", f"{CONFIGS / 'sidecar.yaml'}:/etc/otelcol/config.yaml:ro", "-v",
            f"{authority.pem}:/etc/ssl/certs/ca.crt:ro", "--add-host", f"{GATEWAY_NAME}:{self.network.far}",
            "-e", "MY_POD_NAME=web-0", "-e", "MY_POD_NAMESPACE=shop"])
        wait_for(lambda: "Everything is ready" in container.log, 30, lambda: f"a ready container:\n{container.log}")
        self.assertIn('"workers": 1}', container.log)
        self.pass_on(sink, 20000)
        self.assertEqual(container.inspect(".State.OOMKilled"), "false")
        print(f"\nsidecar.yaml: {container.kib('VmHWM') / 1024:.1f} MiB at most, of 128")
        ledger = self.stop_cleanly(container)
        self.assertEqual(ledger.row("traces", "exporter", "otlp/gateway")["out"], 20000)
