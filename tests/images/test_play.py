# SPDX-License-Identifier: Apache-2.0
"""The manifests of deploy/kustomize, played by podman with the images: what podman makes of a pod is what runs."""

import copy
import pathlib
import tempfile
import urllib.request

import yaml

from imagetest import ImageCase, podman
from weirtest import manifests, messages, rpc, wait_for
from weirtest.ledger import Ledger

# podman 4.3 knows Pods and ConfigMaps, and of a pod not where it may run.
LEFT_OUT = ("serviceAccountName", "automountServiceAccountToken", "affinity", "topologySpreadConstraints", "tolerations")
# Nor these, which are given as values.
OWN_FIELDS = {"metadata.namespace": "shop", "spec.nodeName": "n1"}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def pod_of(workload):
    """A workload's pod. A native sidecar becomes an ordinary container; the application is left out. In the test's
    network podman maps no ports, so that these and their names go."""
    template = copy.deepcopy(workload["spec"]["template"])
    spec = {key: value for key, value in template["spec"].items() if key not in LEFT_OUT}
    found = [one for one in spec["containers"] + spec.pop("initContainers", []) if one["name"] == "weir"]
    for one in found:
        one.pop("restartPolicy", None)
        one["image"] = f"localhost/{one['image']}"
        one["imagePullPolicy"] = "Never"
        ports = {port["name"]: port["containerPort"] for port in one.pop("ports")}
        for probe in [one[key] for key in PROBES if key in one]:
            probe["httpGet"]["port"] = ports[probe["httpGet"]["port"]]
        for variable in one["env"]:
            if variable.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") in OWN_FIELDS:
                variable["value"] = OWN_FIELDS[variable.pop("valueFrom")["fieldRef"]["fieldPath"]]
    spec["containers"] = found
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": workload["metadata"]["name"], "labels": template["metadata"]["labels"]}}


class Played:
    """What a kustomization says, running in the test's network."""

    def __init__(self, folder):
        objects = manifests.kustomize(folder)
        (workload,) = [one for one in objects if one["kind"] in manifests.WORKLOADS]
        (self.container,) = manifests.containers(objects)
        self.pod = pod_of(workload)
        self.file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        yaml.safe_dump_all([one for one in objects if one["kind"] == "ConfigMap"] + [self.pod], self.file)
        self.file.flush()
        podman("play", "kube", "--network", "host", self.file.name)
        self.name = f"{self.pod['metadata']['name']}-weir"

    def inspect(self, what):
        return podman("inspect", "--format", f"{{{{{what}}}}}", self.name).stdout.decode().strip()

    @property
    def log(self):
        done = podman("logs", self.name, check=False)
        return (done.stdout + done.stderr).decode()

    def answers(self, port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.container.ports[port]}{path}", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def close(self):
        podman("play", "kube", "--down", self.file.name, check=False)
        self.file.close()


class TestPlay(ImageCase):
    """A pod of each pattern, with the limits and the security of its manifest."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network.hosts("weir-gateway.observability", "weir-gateway", "otlp-backend")

    def play(self, folder, attributes=()):
        sink = self.network.at_far_end(rpc.Sink, port=4317, host=self.network.far)
        self.addCleanup(sink.close)
        played = Played(folder)
        self.addCleanup(played.close)
        for probe in PROBES:
            asked = played.container.spec.get(probe, {}).get("httpGet")
            if asked:
                wait_for(lambda: played.answers(asked["port"], asked["path"]), 30, lambda: f"{probe}:\n{played.log}")
        self.assertTrue(played.answers("metrics", "/metrics"))
        pid = int(played.inspect(".State.Pid"))
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        self.assertEqual(status["Uid"].split()[0], "10001")
        self.assertEqual(int(status["CapEff"], 16), 0)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(played.inspect(".HostConfig.ReadonlyRootfs"), "true")
        limits = played.container.spec["resources"]["limits"]
        self.assertEqual(int(played.inspect(".HostConfig.Memory")), manifests.quantity(limits["memory"]))
        print(f"{folder}: {status['VmRSS'].strip()} idle, {status['Threads'].strip()} threads", flush=True)
        sender = rpc.Sender(4317 if played.pod["spec"]["containers"][0]["image"].endswith("sidecar") else f"{self.network.near}:4317")
        self.addCleanup(sender.close)
        answer = sender.export("logs", messages.simple("logs", 9))
        self.assertEqual(answer.code, "OK", answer)
        sink.wait_count("logs", 9, 20)
        resource = sink.parsed("logs")[0].resource_logs[0].resource
        said = {one.key: one.value.string_value for one in resource.attributes}
        self.assertLessEqual(dict(attributes).items(), said.items())
        podman("stop", "-t", str(played.pod["spec"]["terminationGracePeriodSeconds"]), played.name)
        self.assertEqual(played.inspect(".State.ExitCode"), "0", played.log)
        self.assertTrue(Ledger(played.log).closes, played.log)

    def test_sidecar(self):
        self.play("overlays/sidecar-native", {"k8s.pod.name": "app", "k8s.namespace.name": "shop"})

    def test_agent(self):
        self.play("base/agent")

    def test_gateway(self):
        self.play("base/gateway")
