# SPDX-License-Identifier: Apache-2.0
"""Kubernetes objects without a cluster: rendered by kustomize, and looked at as the API server and kubelet would."""

import functools
import os
import pathlib
import re
import shutil
import subprocess

import yaml

from . import paths

KUSTOMIZE = paths.TOP / "deploy" / "kustomize"
FIELDS = paths.TOP / "tests" / "deploy" / "kubernetes-fields.txt"
WORKLOADS = ("DaemonSet", "Deployment", "Job", "StatefulSet")
_QUANTITY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)(m|[kMGTPE]i?)?$")
_UNITS = {"m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2 ** 10, "Mi": 2 ** 20, "Gi": 2 ** 30, "Ti": 2 ** 40}


class Impossible(Exception):
    """This machine has nothing that renders."""


@functools.cache
def _renderer():
    """kustomize as tools/test-deploy builds it, or a kubectl with one that is new enough."""
    built = paths.BUILD / "tests" / "deploy" / "kustomize"
    if os.access(built, os.X_OK):
        return [built, "build"]
    kubectl = shutil.which("kubectl")
    if not kubectl:
        raise Impossible("no kubectl; tools/test-deploy builds a kustomize")
    said = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    version = re.search(r"Kustomize Version: v([0-9]+)\.([0-9]+)", said.stdout)
    if not version or tuple(map(int, version.groups())) < (4, 5):
        raise Impossible("kubectl's kustomize is older than 4.5; tools/test-deploy builds one")
    return [kubectl, "kustomize"]


def objects_of(text):
    return [one for one in yaml.safe_load_all(text) if one]


def kustomize(folder):
    """The objects of a kustomization; `folder` is below deploy/kustomize."""
    done = subprocess.run([*_renderer(), KUSTOMIZE / folder], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(f"{folder}: {done.stderr}")
    return objects_of(done.stdout)


def kustomizations():
    """All folders with a kustomization that is no component."""
    found = []
    for file in sorted(KUSTOMIZE.rglob("kustomization.yaml")):
        if yaml.safe_load(file.read_text())["kind"] == "Kustomization":
            found.append(str(file.parent.relative_to(KUSTOMIZE)))
    return found


@functools.cache
def _types():
    types = {}
    for line in FIELDS.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, *words = line.split()
        versions = [w.strip("()") for w in words if w.startswith("(")]
        fields = dict(w.split("=", 1) for w in words if "=" in w)
        types[name] = (versions, {f.rstrip("!"): t for f, t in fields.items()}, {f[:-1] for f in fields if f.endswith("!")})
    return types


def _scalar(value, kind):
    number = isinstance(value, int) and not isinstance(value, bool)
    return {"string": isinstance(value, str), "integer": number, "boolean": isinstance(value, bool), "any": True,
            "number": number or isinstance(value, float), "int-or-string": number or isinstance(value, str),
            "quantity": number or isinstance(value, str) and bool(_QUANTITY.match(value))}[kind]


def _check(value, kind, path, found):
    if kind.startswith("["):
        if not isinstance(value, list):
            found.append(f"{path}: is no list")
            return
        for number, one in enumerate(value):
            _check(one, kind[1:-1], f"{path}[{number}]", found)
    elif kind.startswith("{"):
        if not isinstance(value, dict):
            found.append(f"{path}: is no map")
            return
        for key, one in value.items():
            _check(one, kind[1:-1], f"{path}.{key}", found)
    elif kind in _types():
        if not isinstance(value, dict):
            found.append(f"{path}: is no {kind}")
            return
        _, fields, required = _types()[kind]
        found += [f"{path}.{name}: is missing" for name in sorted(required - value.keys())]
        for name, one in value.items():
            if name in fields:
                _check(one, fields[name], f"{path}.{name}", found)
            else:
                found.append(f"{path}.{name}: {kind} has no such field")
    elif not _scalar(value, kind):
        found.append(f"{path}: {value!r} is no {kind}")


def mistakes(thing):
    """What the API's description has against an object: a list of sentences."""
    kind, version = thing.get("kind"), thing.get("apiVersion")
    name = f"{kind}/{thing.get('metadata', {}).get('name')}"
    if kind not in _types() or version not in _types()[kind][0]:
        return [f"{name}: there is no {kind} in {version}"]
    found = []
    _check(thing, kind, name, found)
    return found


def quantity(text):
    """As a number of bytes or cores."""
    number, unit = _QUANTITY.match(str(text)).groups()
    return float(number) * _UNITS.get(unit, 1)


class Container:
    """A container with weir in it, and where it stands."""

    def __init__(self, workload, spec, objects, native=False):
        self.workload, self.spec, self.native = workload, spec, native
        self.pod = workload["spec"]["template"]["spec"]
        self.objects = objects
        self.name = f"{workload['kind']}/{workload['metadata']['name']}"

    @property
    def role(self):
        return self.spec["image"].rpartition(":")[2]

    @property
    def ports(self):
        return {port["name"]: port["containerPort"] for port in self.spec["ports"]}

    def files(self):
        """What is mounted from ConfigMaps: {path: text}."""
        found = {}
        maps = {one["metadata"]["name"]: one["data"] for one in self.objects if one["kind"] == "ConfigMap"}
        volumes = {one["name"]: one for one in self.pod["volumes"]}
        for mount in self.spec["volumeMounts"]:
            source = volumes.get(mount["name"], {}).get("configMap")
            if source:
                data = maps[source["name"]]
                items = source.get("items") or [{"key": key, "path": key} for key in data]
                found.update({f"{mount['mountPath']}/{item['path']}": data[item["key"]] for item in items})
        return found

    def arguments(self, folder):
        """The container's, with its files written below `folder` and named there."""
        for path, text in self.files().items():
            file = pathlib.Path(folder, path.lstrip("/"))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return [re.sub(r"^--config=(/.*)", rf"--config={folder}\1", one) for one in self.spec["args"]]

    def environment(self):
        """Names are those of a pod web-0 in the namespace shop, on the node n1; addresses are 127.0.0.1."""
        fields = {"metadata.name": "web-0", "metadata.namespace": "shop", "spec.nodeName": "n1",
                  "status.podIP": "127.0.0.1", "status.hostIP": "127.0.0.1"}
        return {one["name"]: one["value"] if "value" in one else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
                for one in self.spec["env"]}


def containers(objects, name="weir"):
    """All containers of that name."""
    found = []
    for one in objects:
        if one["kind"] in WORKLOADS:
            pod = one["spec"]["template"]["spec"]
            found += [Container(one, c, objects) for c in pod["containers"] if c["name"] == name]
            found += [Container(one, c, objects, True) for c in pod.get("initContainers", []) if c["name"] == name]
    return found


def _labels(workload):
    """Those of its pods."""
    return workload["spec"]["template"].get("metadata", {}).get("labels", {})


def _selected(selector, objects):
    """The workloads whose pods it selects; nothing selects nothing."""
    return [one for one in objects if one["kind"] in WORKLOADS and selector
            and selector.items() <= _labels(one).items()]


def _references(thing, objects):
    """Names in `thing` of objects that are not there."""
    there = {(one["kind"], one["metadata"]["name"]) for one in objects}
    wanted = []
    if thing["kind"] in WORKLOADS:
        pod = thing["spec"]["template"]["spec"]
        if "serviceAccountName" in pod:
            wanted.append(("ServiceAccount", pod["serviceAccountName"]))
        wanted += [("ConfigMap", v["configMap"]["name"]) for v in pod.get("volumes", []) if "configMap" in v]
        if "serviceName" in thing["spec"]:
            wanted.append(("Service", thing["spec"]["serviceName"]))
    elif thing["kind"] == "HorizontalPodAutoscaler":
        target = thing["spec"]["scaleTargetRef"]
        wanted.append((target["kind"], target["name"]))
    elif thing["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        wanted.append((thing["roleRef"]["kind"], thing["roleRef"]["name"]))
        wanted += [(s["kind"], s["name"]) for s in thing["subjects"]]
    return [f"there is no {kind}/{name}" for kind, name in wanted if (kind, name) not in there]


def _workload(thing):
    """What kubelet or the API server would have against a workload beyond its fields."""
    found = []
    template = thing["spec"]["template"]
    selector = thing["spec"].get("selector", {}).get("matchLabels", {})  # a Job's is made for it
    if not selector.items() <= _labels(thing).items():
        found.append("its selector does not select its pods")
    pod = template["spec"]
    volumes = {v["name"] for v in pod.get("volumes", [])} | {
        c["metadata"]["name"] for c in thing["spec"].get("volumeClaimTemplates", [])}
    for one in pod["containers"] + pod.get("initContainers", []):
        names = [p.get("name") for p in one.get("ports", [])]
        found += [f"port {n} stands twice" for n in set(names) if names.count(n) > 1]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            port = one.get(probe, {}).get("httpGet", {}).get("port")
            if isinstance(port, str) and port not in names:  # a number need not be declared
                found.append(f"{probe} asks port {port}, which there is not")
        found += [f"there is no volume {m['name']}" for m in one.get("volumeMounts", []) if m["name"] not in volumes]
    return found


def inconsistencies(objects):
    """What does not fit together: a list of sentences."""
    found = []
    for one in objects:
        said = _references(one, objects)
        if one["kind"] in WORKLOADS:
            said += _workload(one)
        elif one["kind"] == "PodDisruptionBudget" and not _selected(one["spec"].get("selector", {}).get("matchLabels"), objects):
            said.append("selects nothing")
        elif one["kind"] == "Service":
            chosen = _selected(one["spec"].get("selector"), objects)
            if len(chosen) != 1:
                said.append(f"selects {len(chosen)} workloads")
            for workload in chosen:
                ports = [p.get("name") for c in workload["spec"]["template"]["spec"]["containers"] for p in c.get("ports", [])]
                said += [f"port {p['name']} leads to none of the pod's" for p in one["spec"]["ports"] if p["targetPort"] not in ports]
        found += [f"{one['kind']}/{one['metadata']['name']}: {text}" for text in said]
    keys = [(one["kind"], one["metadata"]["name"]) for one in objects]
    return found + [f"{kind}/{name} is there twice" for kind, name in set(keys) if keys.count((kind, name)) > 1]
