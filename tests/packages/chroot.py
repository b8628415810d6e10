# SPDX-License-Identifier: Apache-2.0
"""Each role by its name in a clean Debian 12: only its plugins, an answer on the ports, and nothing left behind."""

import json
import sys

import common

ABSENT = "exporters: {%s: {}}"


def listed(root):
    """KIND/TYPE of the components that weir finds."""
    kind, found = None, set()
    for line in root.call("weir", "components").stdout.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            kind = line[:-1]
        elif line.startswith("  - name: "):
            found.add(f"{kind}/{line.split(': ')[1]}")
    return found


def check_answers(role, root):
    done = common.run("unshare", "-n", sys.executable, "-B", common.TOP / "tests/packages/answers.py", root.folder, check=False,
                      timeout=120)
    try:
        saw = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        common.check(f"{role}: the collector runs", False, done.stdout)
        return None
    expected = {"healthy": True, "healthcheck": 0, "answer": 200, "counted": True, "exit": 0}
    common.check(f"{role}: runs with the packaged configuration, answers on 4318, 8888 and 13133, and ends when told",
                 all(saw.get(key) == value for key, value in expected.items()), json.dumps(saw, indent=1))
    return saw


def check_missing(role, root):
    """The error about a plugin that is not installed names a package that apt knows, by alias too."""
    absent = sorted(plugin for plugin in common.role_plugins("gateway") - common.role_plugins(role) if "/lo" in plugin)
    names = [plugin.split("/")[1] for plugin in absent if plugin.startswith("exporters/")]
    names += ["loadbalancing"] if "load_balancing" in names else []
    for name in names:
        done = root.call("weir", "validate", "--config=/etc/weir/config.yaml", f"--config=yaml:{ABSENT % name}",
                         "--set=service.pipelines.traces.exporters=[" + name + "]", check=False)
        package = common.package_of(f"exporters/{name}")
        common.check(f"{role}: without {name} the error names {package}", f"Debian package {package}" in done.stdout, done.stdout)
        common.check(f"{role}: apt installs {package}", root.apt("install", package, check=False).returncode == 0)
        done = root.call("weir", "describe", "exporter", name, check=False)
        common.check(f"{role}: {name} is there then", done.returncode == 0, done.stdout)
        root.apt("purge", "--autoremove", common.package_of(f"exporters/{'load_balancing' if name == 'loadbalancing' else name}"))


def check_role(role, root):
    before, packages = root.files(), root.packages()
    installed = root.apt("install", f"weir-{role}", check=False)
    if not common.check(f"{role}: apt-get install weir-{role}", installed.returncode == 0, installed.stdout):
        return
    new = {name: size for name, size in root.packages().items() if name not in packages}
    there = listed(root)
    common.check(f"{role}: only the plugins of roles/{role}", there == common.role_plugins(role),
                 f"too many or missing: {sorted(there ^ common.role_plugins(role))}")
    done = root.call("weir", "validate", "--config=/etc/weir/config.yaml", "--config=dir:/etc/weir/conf.d", check=False)
    common.check(f"{role}: weir validate", done.returncode == 0, done.stdout)
    saw = check_answers(role, root)
    check_missing(role, root)
    root.apt("purge", "--autoremove", f"weir-{role}")
    root.apt("purge", "--autoremove", "weir")
    left = sorted(name for name in root.packages() if name not in packages)
    common.check(f"{role}: removal takes all packages along", not left, " ".join(left))
    (root.folder / "tmp/weir.log").unlink(missing_ok=True)
    files = sorted(root.files() ^ before)
    common.check(f"{role}: removal leaves no file", not files, " ".join(files))
    own = sum(size for name, size in new.items() if "weir" in name)
    if saw:
        common.note(f"{role}: installed {own} KiB, with the libraries it brings along {sum(new.values())} KiB ({len(new)} "
                    f"packages); idle RSS {saw['idle_kib']} KiB; ready after {saw['ready_ms']} ms")


def main(work):
    for role in common.ROLES:
        with common.Root(work, "minbase") as root:
            root.use_repository(work.repository)
            root.install_what_apt_keeps()
            check_role(role, root)
