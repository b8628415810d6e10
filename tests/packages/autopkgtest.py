# SPDX-License-Identifier: Apache-2.0
"""debian/tests, run by autopkgtest in a container that systemd boots."""

import shutil

import common
import container

# What debian/tests depend on, as the container has no network.
PACKAGES = ["apt-utils", "build-essential", "check", "curl", "debhelper", "pkg-config", "weir-dev", "weir-gateway",
            "weir-sidecar", "weir-tools"]


def main(work):
    container.make_image(work, PACKAGES)
    source = work.fresh("autopkgtest.source")
    shutil.copytree(common.TOP / "debian", source / "weir/debian", ignore=shutil.ignore_patterns("weir*/", "libweir*/", "tmp"))
    shutil.copytree(common.TOP / "examples/plugin-out-of-tree", source / "weir/examples/plugin-out-of-tree")
    debs = [deb for deb in sorted(work.debs.glob("*.deb")) if "-dbgsym_" not in deb.name]
    output = work.folder / "autopkgtest.output"
    shutil.rmtree(output, ignore_errors=True)
    done = common.run("autopkgtest", "-B", "--output-dir", output, *debs, f"{source}/weir/", "--", "podman", "--init",
                      container.IMAGE, "--", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined",
                      "--security-opt=apparmor=unconfined", check=False, timeout=1200,
                      env=container.environment(work))
    summary = output / "summary"
    for line in summary.read_text(encoding="utf-8").splitlines() if summary.exists() else []:
        common.note(line)
    common.check("autopkgtest", done.returncode == 0, done.stdout[-4000:])
