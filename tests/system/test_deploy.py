# SPDX-License-Identifier: Apache-2.0
"""deploy/kustomize: all of it renders, is what the Kubernetes API takes, fits together, and weir runs on it.

No cluster is needed. Each container's command line and configuration run in a network of their own, since their ports
are fixed; kubelet's probes and the applications' telemetry are the test's."""

import copy
import functools
import pathlib
import re
import shutil
import tempfile
import urllib.request

import yaml

from weirtest import TestCase, manifests, messages, paths, rpc, run, wait_for
from weirtest.kube import ApiServer
from weirtest.network import Impossible, network
from weirtest.pki import Authority

# A Job with containers and volumes of its own, and a workload that wants no sidecar.
APPLICATIONS = """
apiVersion: batch/v1
kind: Job
metadata: {name: job, labels: {weir-sidecar: "true"}}
spec:
  template:
    spec:
      restartPolicy: Never
      initContainers: [{name: prepare, image: "example.com/prepare:1"}]
      containers: [{name: work, image: "example.com/work:1", volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: plain}
spec:
  serviceName: plain
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec:
      containers: [{name: app, image: "example.com/app:1"}]
---
apiVersion: v1
kind: Service
metadata: {name: plain}
spec:
  selector: {app: plain}
  ports: []
"""


@functools.cache
def rendered():
    """{folder: objects} of all kustomizations."""
    return {folder: manifests.kustomize(folder) for folder in manifests.kustomizations()}


def weirs():
    """(folder, container) of each weir in all of them."""
    return [(folder, one) for folder, objects in rendered().items() for one in manifests.containers(objects)]


class Rendered(TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            rendered()
        except manifests.Impossible as error:
            cls.skipTest(cls, str(error))


class TestObjects(Rendered):
    def test_they_are_what_the_api_takes(self):
        for folder, objects in rendered().items():
            with self.subTest(folder):
                self.assertEqual([text for one in objects for text in manifests.mistakes(one)], [])

    def test_they_fit_together(self):
        for folder, objects in rendered().items():
            with self.subTest(folder):
                self.assertEqual(manifests.inconsistencies(objects), [])

    def test_all_patterns_are_there(self):
        kinds = {folder: sorted(one["kind"] for one in objects) for folder, objects in rendered().items()}
        self.assertEqual(kinds["base/gateway"], ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget",
                                                 "Service", "Service", "ServiceAccount"])
        self.assertEqual(kinds["overlays/gateway-persistent"], ["ConfigMap", "PodDisruptionBudget", "Service", "Service",
                                                                "ServiceAccount", "StatefulSet"])
        self.assertEqual(kinds["base/agent"], ["ConfigMap", "DaemonSet", "Service", "ServiceAccount"])
        self.assertEqual(kinds["overlays/agent-balanced"], ["ConfigMap", "DaemonSet", "Role", "RoleBinding", "Service",
                                                            "ServiceAccount"])
        for folder, native in (("overlays/sidecar-native", True), ("overlays/sidecar-plain", False)):
            (sidecar,) = manifests.containers(rendered()[folder])
            self.assertEqual((sidecar.native, sidecar.spec.get("restartPolicy")), (native, "Always" if native else None))
            self.assertEqual([one["name"] for one in sidecar.pod["containers"] if one["name"] != "weir"], ["app"])

    def test_mistakes_are_found(self):
        """What finds nothing in the manifests does find what is wrong in others."""
        good = next(one for one in rendered()["base/gateway"] if one["kind"] == "Deployment")
        for change, said in (
                (lambda d: d["spec"].update(replica=2), "spec.replica: DeploymentSpec has no such field"),
                (lambda d: d["spec"].update(replicas="two"), "spec.replicas: 'two' is no integer"),
                (lambda d: d["spec"].pop("selector"), "spec.selector: is missing"),
                (lambda d: d["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"].update(memory="2 GB"),
                 "limits.memory: '2 GB' is no quantity"),
                (lambda d: d.update(apiVersion="apps/v1beta1"), "there is no Deployment in apps/v1beta1")):
            bad = copy.deepcopy(good)
            change(bad)
            with self.subTest(said):
                self.assertIn(said, "\n".join(manifests.mistakes(bad)))
        for change, said in (
                (lambda d: d["spec"]["template"]["metadata"]["labels"].clear(), "does not select its pods"),
                (lambda d: d["spec"]["template"]["spec"]["containers"][0]["ports"].pop(2), "livenessProbe asks port health"),
                (lambda d: d["spec"]["template"]["spec"]["containers"][0]["ports"].pop(0), "port otlp leads to none"),
                (lambda d: d["spec"]["template"]["spec"].update(serviceAccountName="x"), "no ServiceAccount/x"),
                (lambda d: d["metadata"].update(name="x"), "no Deployment/weir-gateway")):
            objects = copy.deepcopy(rendered()["base/gateway"])
            change(next(one for one in objects if one["kind"] == "Deployment"))
            with self.subTest(said):
                found = manifests.inconsistencies(objects)
                self.assertIn(said, "\n".join(found))


class TestContainers(Rendered):
    """What holds for every weir."""

    def test_hardened(self):
        for folder, one in weirs():
            with self.subTest(folder, container=one.name):
                self.assertEqual(one.spec["securityContext"], {
                    "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                    "seccompProfile": {"type": "RuntimeDefault"}})
                self.assertEqual(one.pod.get("automountServiceAccountToken", False),
                                 "k8s" in str(one.files().get("/conf/balanced.yaml", one.files().get("/conf/router.yaml"))))

    def test_there_is_time_to_drain(self):
        """SIGTERM comes after preStop; then the drain, printing the ledger, and the end."""
        for folder, one in weirs():
            with self.subTest(folder, container=one.name):
                drain = next(int(re.fullmatch("--drain-timeout=([0-9]+)s", a).group(1)) for a in one.spec["args"] if "drain" in a)
                wait = one.spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                self.assertGreaterEqual(one.pod["terminationGracePeriodSeconds"], wait + drain + 5)

    def test_the_image_has_what_the_configuration_names(self):
        for folder, one in weirs():
            plugins = {line for line in (paths.TOP / "roles" / one.role).read_text().splitlines() if line[0] != "#"}
            for path, text in one.files().items():
                with self.subTest(folder, container=one.name, file=path):
                    loaded = yaml.safe_load(text)
                    named = {f"{kind}/{name.partition('/')[0]}"
                             for kind in ("receivers", "processors", "exporters", "connectors", "extensions")
                             for name in loaded.get(kind, {})}
                    self.assertEqual(named - plugins, set())

    def test_their_configurations_are_right(self):
        for folder, one in weirs():
            with self.subTest(folder, container=one.name), tempfile.TemporaryDirectory(prefix="weirtest.") as tmp:
                done = run("validate", *one.arguments(tmp), env=one.environment())
                self.assertEqual((done.code, done.stderr), (0, ""))


class TestPage(Rendered):
    """What docs/user/kubernetes.md shows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        page = (paths.TOP / "docs" / "user" / "kubernetes.md").read_text()
        cls.examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]

    def build(self, *examples, files=()):
        """A kustomization of these examples beside a checkout in the folder weir."""
        with tempfile.TemporaryDirectory(prefix="weirtest.") as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(manifests.KUSTOMIZE, folder / "weir" / "deploy" / "kustomize")
            for name, text in dict(files).items():
                (folder / name).write_text(text)
            merged = {key: value for one in examples for key, value in one.items()}
            (folder / "kustomization.yaml").write_text(yaml.safe_dump(merged))
            objects = manifests.kustomize(folder)
        self.assertEqual([text for one in objects for text in manifests.mistakes(one)] + manifests.inconsistencies(objects), [])
        return objects

    def test_kustomizations(self):
        whole, config, sidecar = [one for one in self.examples if "spec" not in one]
        objects = self.build(whole, config, files={"config.yaml": "receivers: {nop: {}}"})
        agent, gateway = sorted(manifests.containers(objects), key=lambda one: one.role)
        self.assertEqual({one["metadata"]["namespace"] for one in objects}, {"observability"})
        self.assertEqual([one.spec["image"] for one in (agent, gateway)],
                         ["registry.example.com/weir:agent", "registry.example.com/weir:gateway"])
        self.assertEqual(gateway.environment()["OTLP_BACKEND"], "tempo:4317")
        self.assertEqual(gateway.files(), {"/conf/config.yaml": "receivers: {nop: {}}"})
        objects = self.build({"resources": ["app.yaml"]}, sidecar, files={"app.yaml": APPLICATIONS})
        job, plain = sorted((one for one in objects if one["kind"] in manifests.WORKLOADS), key=lambda one: one["kind"])
        self.assertEqual([(one.workload["kind"], one.native) for one in manifests.containers(objects)], [("Job", True)])
        pod = job["spec"]["template"]["spec"]
        self.assertEqual([[one["name"] for one in pod[key]] for key in ("initContainers", "containers")],
                         [["weir", "prepare"], ["work"]])
        self.assertEqual([volume["name"] for volume in pod["volumes"]], ["weir-config", "data"])
        self.assertEqual(list(plain["spec"]["template"]["spec"]), ["containers"])  # has no label

    def test_an_operators_resource(self):
        (resource,) = [one for one in self.examples if "spec" in one]
        self.assertEqual(resource["kind"], "OpenTelemetryCollector")
        spec = resource["spec"]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(spec["config"], file)
            file.flush()
            done = run("validate", f"--config={file.name}", *(f"--{key}={value}" for key, value in spec["args"].items()))
        self.assertEqual((done.code, done.stderr), (0, ""))


class TestOperator(TestCase):
    """What the OpenTelemetry Operator makes of users' resources, with weir as the image."""

    # Added to configurations that do not have it, today and before.
    telemetry = ({"metrics": {"readers": [{"pull": {"exporter": {"prometheus": {"host": "0.0.0.0", "port": 8888}}}}]}},
                 {"metrics": {"address": "0.0.0.0:8888"}})

    def test_its_arguments(self):
        config = yaml.safe_load((paths.TOP / "tests" / "configs" / "operator-gateway.yaml").read_text())
        for telemetry in self.telemetry:
            config["service"]["telemetry"] = telemetry
            text = yaml.safe_dump(config)
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                for source in (f"--config={file.name}", "--config=env:OTEL_CONFIG"):
                    done = run("validate", source, "--drain-timeout=20s",
                               env={"OTEL_CONFIG": text, "POD_NAME": "web-0", "GOMEMLIMIT": "100", "GOMAXPROCS": "1"})
                    self.assertEqual(done.code, 0, done.stderr)
                    self.assertNotIn("error", done.stderr)


class Running(Rendered):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.network = network()
        except Impossible as error:
            cls.skipTest(cls, f"no network of its own: {error}")

    def begin(self, folder, container=None, args=(), env=None):
        """(container, weir) of a kustomization, or of this container in it."""
        container = container or manifests.containers(rendered()[folder])[0]
        tmp = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        arguments = container.arguments(tmp)
        first = next(one for one in arguments if one.startswith("--config="))
        arguments.remove(first)
        if any(mount["mountPath"] == "/var/lib/weir" for mount in container.spec["volumeMounts"]):
            arguments.append(f"--set=extensions.file_storage.directory={tmp}/queue")
        weir = self.weir(pathlib.Path(first.partition("=")[2]).read_text(), args=[*arguments, *args],
                         env={**container.environment(), **(env or {})})
        return container, weir


class TestRunning(Running):
    """Each container's weir: ports, probes, and what comes in at the front goes out at the back."""

    # Where its telemetry goes, and the sinks at these places.
    backends = ("weir-gateway.observability", "weir-gateway", "otlp-backend")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network.hosts(*cls.backends)
        cls.sink = cls.network.at_far_end(rpc.Sink, port=4317, host=cls.network.far)
        cls.addClassCleanup(cls.sink.close)

    def assert_as_declared(self, container, weir):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in container.spec:
                asked = container.spec[probe]["httpGet"]
                with urllib.request.urlopen(f"http://127.0.0.1:{container.ports[asked['port']]}{asked['path']}", timeout=10) as answer:
                    self.assertEqual(answer.status, 200, probe)
        with urllib.request.urlopen(f"http://127.0.0.1:{container.ports['metrics']}/metrics", timeout=10) as answer:
            self.assertIn("otelcol_process_uptime", answer.read().decode())
        if not weir.sanitized():
            self.assertLess(weir.peak_kib() * 1024, manifests.quantity(container.spec["resources"]["requests"]["memory"]))

    def check(self, folder, attributes=()):
        container, weir = self.begin(folder)
        self.assert_as_declared(container, weir)
        before = self.sink.count("logs")
        sender = self.managed(rpc.Sender(container.ports["otlp"]))
        answer = sender.export("logs", messages.simple("logs", 7))
        self.assertEqual(answer.code, "OK", answer)
        wait_for(lambda: self.sink.count("logs") == before + 7, 20, "logs have come")
        found = self.sink.parsed("logs")[-1].resource_logs[0].resource.attributes
        said = {one.key: one.value.string_value for one in found}
        self.assertLessEqual(dict(attributes).items(), said.items())
        self.stop_cleanly(weir)

    def test_sidecars(self):
        where = {"k8s.pod.name": "web-0", "k8s.namespace.name": "shop", "k8s.node.name": "n1"}
        self.check("overlays/sidecar-native", where)
        self.check("overlays/sidecar-plain", where)

    def test_agents(self):
        for folder in ("base/agent", "overlays/agent-hostport", "overlays/agent-hostnetwork"):
            self.check(folder, {"k8s.node.name": "n1"})

    def test_gateways(self):
        self.check("base/gateway")
        self.check("overlays/gateway-persistent")

    def test_gateway_with_loki_and_prometheus(self):
        container, weir = self.begin("overlays/gateway-loki-prometheus")
        self.assert_as_declared(container, weir)
        self.stop_cleanly(weir)


class TestRouting(Running):
    """Traces that are routed to the pods of a Service, which the Kubernetes API names."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weirtest.")))
        authority = Authority(folder)
        account = folder / "run" / "secrets" / "kubernetes.io" / "serviceaccount"
        account.mkdir(parents=True)
        (account / "ca.crt").write_bytes(authority.pem.read_bytes())
        (account / "namespace").write_text("observability")
        (account / "token").write_text("secret")
        cls.network.cover("/run", folder / "run")
        cls.api = ApiServer(authority.issue(san="IP:127.0.0.1"), "secret")
        cls.addClassCleanup(cls.api.close)
        cls.in_cluster = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cls.api.port)}

    def put(self, service):
        self.api.put_slice(f"{service}-1", service, [(self.network.far, True, None)], "observability")

    def assert_allowed(self, objects):
        """What was asked for is what the Role says."""
        (role,) = [one for one in objects if one["kind"] == "Role"]
        (rule,) = role["rules"]
        self.assertLessEqual({"list", "watch"}, set(rule["verbs"]))
        allowed = f"/apis/{rule['apiGroups'][0]}/v1/namespaces/observability/{rule['resources'][0]}"
        self.assertEqual({path for path, _ in self.api.asked}, {allowed})

    def errors(self, weir_port, count):
        """Sends traces of one span with an error each."""
        message = messages.request("traces")()
        spans = message.resource_spans.add().scope_spans.add().spans
        for number in range(count):
            spans.add(name="work", trace_id=(number + 1).to_bytes(16, "big"), span_id=b"12345678", start_time_unix_nano=1,
                      end_time_unix_nano=2).status.code = 2
        answer = self.managed(rpc.Sender(weir_port)).export("traces", message)
        self.assertEqual(answer.code, "OK", answer)

    def test_agents(self):
        self.put("weir-gateway-headless")
        sink = self.managed(self.network.at_far_end(rpc.Sink, port=4317, host=self.network.far))
        container, weir = self.begin("overlays/agent-balanced", env=self.in_cluster)
        self.errors(container.ports["otlp"], 20)
        sink.wait_count("traces", 20, 20)
        self.assert_allowed(rendered()["overlays/agent-balanced"])
        self.stop_cleanly(weir)

    def test_two_tiers(self):
        """Through the router and the sampler, each with its manifest's configuration, to the backend."""
        objects = rendered()["overlays/gateway-sampling"]
        by_name = {one.workload["metadata"]["name"]: one for one in manifests.containers(objects)}
        self.put("weir-gateway-headless-sampler")
        sink = self.managed(self.network.at_far_end(rpc.Sink, port=14317, host=self.network.far))
        _, sampler = self.network.at_far_end(
            self.begin, "", by_name["weir-gateway-sampler"],
            args=["--set=processors.tail_sampling.decision_wait=1s", "--set=processors.batch.timeout=200ms"],
            env={"OTLP_BACKEND": f"{self.network.far}:14317"})
        router, weir = self.begin("", by_name["weir-gateway"], args=["--set=processors.batch.timeout=200ms"],
                                  env=self.in_cluster)
        self.errors(router.ports["otlp"], 20)
        sink.wait_count("traces", 20, 30)
        self.assert_allowed(objects)
        self.stop_cleanly(weir)
        self.stop_cleanly(sampler)
