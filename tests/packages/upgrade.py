# SPDX-License-Identifier: Apache-2.0
"""An upgrade keeps a configuration that the administrator edited, and takes all of weir's packages to the new version."""

import re
import shutil

import common

NEW = "99.0.0"
EDITED = "# edited by the administrator\n"


def bump(work, deb, folder):
    """The same package as version NEW, with another packaged configuration."""
    tree = work.folder / "bump"
    shutil.rmtree(tree, ignore_errors=True)
    common.run("dpkg-deb", "-R", deb, tree)
    control = (tree / "DEBIAN/control").read_text(encoding="utf-8")
    old = re.search(r"^Version: (.*)$", control, re.MULTILINE).group(1)
    control = control.replace(f"Version: {old}", f"Version: {NEW}").replace(f"= {old})", f"= {NEW})")
    (tree / "DEBIAN/control").write_text(control, encoding="utf-8")
    config = tree / "etc/weir/config.yaml"
    if config.exists():
        config.write_text(config.read_text(encoding="utf-8") + "# packaged anew\n", encoding="utf-8")
        sums = tree / "DEBIAN/md5sums"
        sums.write_text("".join(line for line in sums.read_text(encoding="utf-8").splitlines(True) if "etc/weir" not in line),
                        encoding="utf-8")
    common.run("dpkg-deb", "--root-owner-group", "-b", tree, folder / f"{deb.name.split('_')[0]}_{NEW}.deb")
    shutil.rmtree(tree)


def main(work):
    newer = work.fresh("newer")
    for deb in work.debs.glob("*.deb"):
        if "-dbgsym_" not in deb.name:
            bump(work, deb, newer)
    common.make_repository(list(newer.glob("*.deb")), work.folder / "newer.repository")
    with common.Root(work, "minbase") as root:
        root.use_repository(work.repository)
        root.install_what_apt_keeps()
        before = root.files()
        root.apt("install", "weir-sidecar")
        config = root.folder / "etc/weir/config.yaml"
        config.write_text(EDITED + config.read_text(encoding="utf-8"), encoding="utf-8")
        root.use_repository(work.folder / "newer.repository")
        done = root.apt("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold", "dist-upgrade",
                        check=False)
        common.check("apt-get dist-upgrade", done.returncode == 0, done.stdout)
        lines = root.call("dpkg-query", "-W", "-f", "${Package} ${Version}\n").stdout.splitlines()
        old = [line for line in lines if "weir" in line and line.split()[1] != NEW]
        common.check("all of weir's packages are upgraded", not old, ", ".join(old))
        text = config.read_text(encoding="utf-8")
        common.check("an edited config.yaml stays as it is", text.startswith(EDITED) and "packaged anew" not in text)
        common.check("the new one is beside it", (root.folder / "etc/weir/config.yaml.dpkg-dist").exists())
        root.apt("remove", "weir")
        common.check("removal keeps config.yaml", config.exists())
        root.apt("purge", "--autoremove", "weir", "weir-sidecar")
        left = sorted(root.files() - before)
        common.check("purge does not", not left, " ".join(left))
