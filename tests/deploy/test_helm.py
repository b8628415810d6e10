# SPDX-License-Identifier: Apache-2.0
"""deploy/helm/weir under helm itself (HELM): what it renders, and what it refuses in which words.

Run by tools/test-deploy, which builds helm."""

import os
import pathlib
import subprocess
import tempfile

import yaml

from weirtest import TestCase, manifests, paths, run

CHART = paths.TOP / "deploy" / "helm" / "weir"
# A user's configuration, and the gateway's values in full.
AGENT = (paths.TOP / "tests" / "configs" / "helm-values-agent.yaml").read_text()
GATEWAY = """\
mode: deployment
replicaCount: 3
resources: {requests: {cpu: 1, memory: 512Mi}, limits: {cpu: 2, memory: 2Gi}}
podDisruptionBudget: {enabled: true, maxUnavailable: 1}
autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 10, targetMemoryUtilizationPercentage: 70}
podAnnotations: {example.com/team: telemetry}
extraEnvs: [{name: BACKEND, value: "backend:4317"}]
extraVolumes: [{name: ca, configMap: {name: ca}}]
extraVolumeMounts: [{name: ca, mountPath: /etc/ca, readOnly: true}]
extraManifests:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: ca}, data: {ca.crt: "{{ .Release.Name }}"}}
clusterRole:
  create: true
  rules: [{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [get, list, watch]}]
serviceAccount: {automountServiceAccountToken: true}
service: {clusterIP: None}
ports: {metrics: {enabled: true}, jaeger-grpc: {enabled: false}}
command: {extraArgs: [--workers=2]}
config:
  receivers: {jaeger: null, zipkin: null, prometheus: null}
  exporters:
    debug: null
    otlp: {endpoint: "${env:BACKEND}", tls: {insecure: true}}
  service:
    pipelines: {traces: {exporters: [otlp]}, metrics: {exporters: [otlp]}, logs: null}
"""
PERSISTENT = """\
mode: statefulset
replicaCount: 2
extraVolumeMounts: [{name: queue, mountPath: /var/lib/weir}]
statefulset:
  volumeClaimTemplates:
    - metadata: {name: queue}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
  persistentVolumeClaimRetentionPolicy: {enabled: true, whenDeleted: Retain, whenScaled: Retain}
"""


def helm(*args, values=""):
    """Done by `helm template`, with these values as text."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(values)
        file.flush()
        return subprocess.run([os.environ["HELM"], "template", "shop", CHART, "--namespace", "observability",
                               "--kube-version", "1.30", "--values", file.name, *args],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


class TestChart(TestCase):
    def objects(self, values, *args):
        done = helm(*args, values=values)
        self.assertEqual(done.returncode, 0, done.stderr)
        objects = manifests.objects_of(done.stdout)
        self.assertEqual([text for one in objects for text in manifests.mistakes(one)], [])
        self.assertEqual(manifests.inconsistencies(objects), [])
        return objects

    def one(self, objects, kind):
        (found,) = [one for one in objects if one["kind"] == kind]
        return found

    def validate(self, objects):
        """`weir validate` on what the container is told."""
        (container,) = manifests.containers(objects)
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            return run("validate", *container.arguments(pathlib.Path(folder)), env=container.environment())

    def test_all_modes(self):
        for mode, kind, role in (("daemonset", "DaemonSet", "agent"), ("deployment", "Deployment", "gateway"),
                                 ("statefulset", "StatefulSet", "gateway")):
            with self.subTest(mode):
                objects = self.objects(f"mode: {mode}")
                workload = self.one(objects, kind)
                self.assertEqual(workload["metadata"]["name"], "shop-weir")
                self.assertEqual(workload["metadata"]["namespace"], "observability")
                (container,) = manifests.containers(objects)
                self.assertEqual(container.spec["image"], f"weir:{role}")
                self.assertEqual(container.spec["args"], ["--config=/conf/relay.yaml", "--drain-timeout=25s"])
                self.assertEqual(container.pod["terminationGracePeriodSeconds"], 40)
                self.assertEqual([p.get("hostPort") for p in container.spec["ports"]],
                                 [4317, 4318] if mode == "daemonset" else [None, None])
                self.assertEqual("Service" in [one["kind"] for one in objects], mode != "daemonset")
                done = self.validate(objects)
                self.assertEqual((done.code, done.stderr), (0, ""))

    def test_an_agents_configuration(self):
        """The user's, below config: as it is, it only lacks a processor that is not there yet; without it, it is right."""
        config = yaml.safe_load(AGENT)
        values = {"mode": "daemonset", "config": config, "hostNetwork": True, "tolerations": [{"operator": "Exists"}]}
        objects = self.objects(yaml.safe_dump(values))
        self.assertEqual(manifests.containers(objects)[0].pod["dnsPolicy"], "ClusterFirstWithHostNet")
        rendered = yaml.safe_load(self.one(objects, "ConfigMap")["data"]["relay"])
        for kind in ("receivers", "processors", "exporters"):
            self.assertLessEqual(config[kind].keys(), rendered[kind].keys())
        self.assertEqual(rendered["exporters"]["otlp"], config["exporters"]["otlp"])
        self.assertEqual(rendered["service"]["pipelines"], config["service"]["pipelines"])
        done = self.validate(objects)
        if done.code:
            lines = [line for line in done.stderr.splitlines() if "unknown type" in line]
            self.assertEqual(len(lines), 1, done.stderr)
            self.assertIn("processors::k8sattributes", lines[0])
            del config["processors"]["k8sattributes"]
            config["service"]["pipelines"]["traces"]["processors"].remove("k8sattributes")
            done = self.validate(self.objects(yaml.safe_dump(values)))
        self.assertEqual(done.code, 0, done.stderr)

    def test_a_gateways_values(self):
        objects = self.objects(GATEWAY)
        self.assertNotIn("replicas", self.one(objects, "Deployment")["spec"])
        self.assertEqual([m["resource"]["name"] for m in self.one(objects, "HorizontalPodAutoscaler")["spec"]["metrics"]],
                         ["cpu", "memory"])
        self.assertEqual(self.one(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)
        self.assertEqual(self.one(objects, "ClusterRole")["rules"][0]["resources"], ["endpointslices"])
        self.assertEqual(self.one(objects, "Service")["spec"]["clusterIP"], "None")
        (container,) = manifests.containers(objects)
        self.assertEqual(sorted(container.ports), ["metrics", "otlp", "otlp-http"])
        self.assertEqual(container.spec["args"][-1], "--workers=2")
        (ca,) = [one for one in objects if one["metadata"]["name"] == "ca"]
        self.assertEqual(ca["data"], {"ca.crt": "shop"})
        rendered = yaml.safe_load(next(text for path, text in container.files().items() if path == "/conf/relay.yaml"))
        self.assertEqual(list(rendered["receivers"]), ["otlp"])
        self.assertEqual(list(rendered["exporters"]), ["otlp"])
        self.assertEqual(sorted(rendered["service"]["pipelines"]), ["metrics", "traces"])
        done = self.validate(objects)
        self.assertEqual(done.code, 0, done.stderr)

    def test_a_statefulset_with_volumes(self):
        objects = self.objects(PERSISTENT)
        spec = self.one(objects, "StatefulSet")["spec"]
        self.assertEqual((spec["replicas"], spec["serviceName"]), (2, "shop-weir"))
        self.assertEqual(spec["volumeClaimTemplates"][0]["metadata"]["name"], "queue")
        self.assertEqual(spec["template"]["spec"]["securityContext"]["fsGroup"], 10001)

    def test_a_change_of_the_configuration_restarts_the_pods(self):
        sums = [manifests.containers(self.objects(f"mode: deployment\nconfig: {{processors: {{batch: {{timeout: {t}}}}}}}"))[0]
                .workload["spec"]["template"]["metadata"]["annotations"]["checksum/config"] for t in ("1s", "2s", "1s")]
        self.assertEqual((sums[0] == sums[2], sums[0] == sums[1]), (True, False))

    def test_what_is_refused(self):
        for values, said in (
                ("", "mode must be one of the following"),
                (AGENT, "Additional property receivers is not allowed"),
                ("mode: deployment\nreplicas: 2", "Additional property replicas is not allowed"),
                ("mode: deployment\nimage: {tags: x}", "image: Additional property tags is not allowed"),
                ("mode: deployment\nreplicaCount: two", "replicaCount: Invalid type"),
                ("mode: daemonset\npresets: {hostMetrics: {enabled: true}}",
                 "presets.hostMetrics needs the hostmetrics receiver, which weir does not have yet"),
                ("mode: daemonset\npresets: {kubernetesAttributes: {enabled: true}}", "needs the k8sattributes processor"),
                ("mode: deployment\ncommand: {name: otelcol-contrib}", "command.name: otelcol-contrib is not in weir's image"),
                ("mode: deployment\ningress: {enabled: true}", "ingress.enabled: this chart makes no such object"),
                ("mode: deployment\nconfigMap: {create: false}", "give --config in command.extraArgs"),
                ("mode: deployment\nconfigMap: {existingName: mine}", "set configMap.create to false"),
                ("mode: daemonset\nautoscaling: {enabled: true}", "a daemonset has one pod on each node"),
                ("mode: statefulset\nservice: {enabled: false}", "a statefulset needs its Service")):
            with self.subTest(said):
                done = helm(values=values)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)

    def test_a_configmap_of_ones_own(self):
        done = helm(values="mode: deployment\nconfigMap: {create: false, existingName: mine}")
        self.assertEqual(done.returncode, 0, done.stderr)
        (workload,) = [one for one in manifests.objects_of(done.stdout) if one["kind"] == "Deployment"]
        self.assertEqual(workload["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"], "mine")

    def test_lint(self):
        done = subprocess.run([os.environ["HELM"], "lint", "--strict", CHART, "--set", "mode=deployment"], capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
