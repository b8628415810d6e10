# SPDX-License-Identifier: Apache-2.0
"""A Debian 12 that systemd boots in a podman container, with the repository and the downloads of what is installed from it."""

import os
import time

import common

IMAGE = "weir-packages-systemd"
CONF = """[containers]
netns = "none"
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


# Images and containers of this work only, whatever else runs on the machine.
STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/podman"
runroot = "/run/weir-packages"
"""


def environment(work):
    """In which podman is to run, by whomever it is started."""
    conf, storage = work.folder / "containers.conf", work.folder / "storage.conf"
    conf.write_text(CONF, encoding="utf-8")
    storage.write_text(STORAGE.format(folder=work.folder), encoding="utf-8")
    return {**os.environ, "CONTAINERS_CONF": str(conf), "CONTAINERS_STORAGE_CONF": str(storage)}


def podman(work, *words, **rest):
    return common.run("podman", *words, env=environment(work), **rest)


def make_image(work, packages):
    """Downloads what `packages` need, as the container has no network."""
    with common.Root(work, "systemd", ["systemd", "systemd-sysv", "dbus", "curl", "procps"]) as root:
        root.use_repository(work.repository)
        root.install_what_apt_keeps()
        root.apt("install", "--download-only", *packages)
        (root.folder / "usr/sbin/policy-rc.d").unlink()
        tar = work.folder / "image.tar"
        common.run("tar", "-C", root.folder, "--one-file-system", "-cf", tar, ".")
        podman(work, "rmi", "-f", IMAGE, check=False)
        podman(work, "import", "-q", "--change", 'CMD ["/sbin/init"]', "--change", "STOPSIGNAL SIGRTMIN+3", tar, IMAGE)
        tar.unlink()


class Container:
    def __init__(self, work):
        self.work = work
        self.id = None

    def __enter__(self):
        # What a machine gives to systemd, and a container does not by itself: mounts of its own for each service.
        self.id = podman(self.work, "run", "-d", "--systemd=always", "--network=none", "--cap-add=SYS_ADMIN",
                         "--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", IMAGE).stdout.split()[-1]
        if not self.wait(lambda: self.call("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), 60):
            raise common.Broken("systemd has not booted in the container")
        return self

    def __exit__(self, *_):
        podman(self.work, "rm", "-f", "-t", "5", self.id, check=False)

    def call(self, *words, check=False, **rest):
        return podman(self.work, "exec", "-e", "DEBIAN_FRONTEND=noninteractive", "-e", "LC_ALL=C.UTF-8", self.id, *words,
                      check=check, **rest)

    def sh(self, script, **rest):
        return self.call("sh", "-c", script, **rest)

    def put(self, name, text):
        podman(self.work, "exec", "-i", self.id, "sh", "-c", f"mkdir -p $(dirname {name}) && cat >{name}", input=text)

    def show(self, name, unit="weir.service"):
        return self.call("systemctl", "show", "-P", name, unit).stdout.strip()

    def wait(self, predicate, patience=30):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if predicate():
                return True
            time.sleep(0.2)
        return False

    def files(self):
        leave = "-path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/tmp -o -path ./var/log " \
                "-o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/lib/systemd -o -path ./repository"
        skip = {"./etc/ld.so.cache"}
        return set(self.sh(f"cd / && find . \\( {leave} \\) -prune -o -print", check=True).stdout.splitlines()) - skip
