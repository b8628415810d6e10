# SPDX-License-Identifier: Apache-2.0
"""What the steps share: commands, findings, and where things are."""

import os
import pathlib
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
ROLES = ("sidecar", "agent", "gateway")
WHY_MAX = 4000
_failures = []


class Broken(Exception):
    """A step cannot go on."""


def run(*command, quiet=True, check=True, timeout=900, **rest):
    """The finished process; its output is captured, and shown when it should have succeeded and did not."""
    command = [str(word) for word in command]
    capture = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
    done = subprocess.run(command, text=True, check=False, timeout=timeout, **capture, **rest)
    if check and done.returncode != 0:
        raise Broken(f"{' '.join(command)}: exit code {done.returncode}\n{(done.stdout or '')[-4000:]}")
    return done


def check(what, passed, why=""):
    """Prints PASS or FAIL; the run goes on."""
    print(f"{'PASS' if passed else 'FAIL'}  {what}" + (f": {why[-WHY_MAX:]}" if why and not passed else ""), flush=True)
    if not passed:
        _failures.append(what)
    return passed


def note(text):
    print(f"      {text}", flush=True)


def failures():
    return list(_failures)


def role_plugins(role):
    lines = (TOP / "roles" / role).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def package_of(plugin):
    kind, name = plugin.split("/")
    return f"weir-{kind.rstrip('s')}-{name.replace('_', '-')}"


class Work:
    """The folder of a run: packages, repository, chroots."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.debs = self.folder / "debs"
        self.repository = self.folder / "repository"

    def changes(self):
        found = sorted(self.debs.glob("weir_*.changes"))
        if len(found) != 1:
            raise Broken(f"there is no single weir_*.changes in {self.debs}: run the step build")
        return found[0]

    def fresh(self, name):
        folder = self.folder / name
        if folder.exists():
            run("rm", "-rf", "--one-file-system", folder)
        folder.mkdir()
        return folder


def make_repository(debs, folder):
    """An apt repository in one folder, for a line "deb [trusted=yes] file:FOLDER ./"."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for deb in debs:
        if "-dbgsym_" not in deb.name:
            os.link(deb, folder / deb.name)
    packages = run("apt-ftparchive", "packages", ".", cwd=folder).stdout
    (folder / "Packages").write_text(packages, encoding="utf-8")
    release = run("apt-ftparchive", "release", ".", cwd=folder).stdout
    (folder / "Release").write_text(release, encoding="utf-8")


class Root:
    """A Debian 12 without services, made once with mmdebstrap and unpacked for each use."""

    def __init__(self, work, name, include=()):
        self.work, self.name, self.include = work, name, list(include)
        self.tar = work.folder / f"{name}.tar"
        self.folder = None

    def make(self):
        if not self.tar.exists():
            options = [f"--include={','.join(self.include)}"] if self.include else []
            run("mmdebstrap", "--mode=root", "--variant=minbase", "--skip=cleanup/apt/lists", *options, "bookworm",
                f"{self.tar}.new.tar")
            os.rename(f"{self.tar}.new.tar", self.tar)

    def __enter__(self):
        self.make()
        self.folder = self.work.fresh(f"{self.name}.root")
        run("tar", "-C", self.folder, "-xf", self.tar)
        (self.folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        os.chmod(self.folder / "usr/sbin/policy-rc.d", 0o755)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        run("mount", "-t", "proc", "proc", self.folder / "proc")
        return self

    def __exit__(self, *_):
        run("umount", self.folder / "proc")
        run("rm", "-rf", "--one-file-system", self.folder)

    def install_what_apt_keeps(self):
        """apt itself suggests CA certificates, so that it does not remove them with the packages that brought them."""
        self.apt("--no-install-recommends", "install", "ca-certificates")

    def use_repository(self, repository):
        shutil.rmtree(self.folder / "repository", ignore_errors=True)
        shutil.copytree(repository, self.folder / "repository")
        (self.folder / "etc/apt/sources.list.d/weir.list").write_text("deb [trusted=yes] file:/repository ./\n",
                                                                      encoding="utf-8")
        self.call("apt-get", "-qq", "-o", "Dir::Etc::sourcelist=/etc/apt/sources.list.d/weir.list", "-o",
                  "Dir::Etc::sourceparts=/dev/null", "-o", "APT::Get::List-Cleanup=0", "update")

    def call(self, *command, **rest):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
                       "HOME": "/root"}
        for name in ("http_proxy", "https_proxy", "no_proxy"):
            if name in os.environ:
                environment[name] = os.environ[name]
        return run("chroot", self.folder, *command, env=environment, **rest)

    def apt(self, *words, **rest):
        return self.call("apt-get", "-qq", "-y", *words, **rest)

    def files(self):
        """All names but those that apt, dpkg and the loader keep for themselves."""
        own = ("./var/cache/apt", "./var/lib/apt", "./var/lib/dpkg", "./var/log", "./etc/ld.so.cache", "./var/cache/ldconfig",
               "./repository", "./var/lib/systemd", "./etc/apt")
        found = run("find", ".", "-xdev", cwd=self.folder).stdout.splitlines()
        return {name for name in found if not name.startswith(own)}

    def packages(self):
        """{name: KiB installed}."""
        lines = self.call("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package} ${Installed-Size}\n").stdout.splitlines()
        rows = [line.split() for line in lines]
        return {row[1]: int(row[2]) for row in rows if row[0] == "ii"}
