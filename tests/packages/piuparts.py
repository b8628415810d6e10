# SPDX-License-Identifier: Apache-2.0
"""piuparts installs, removes and purges all packages in a Debian 12 of its own."""

import re

import common


def main(work):
    base = work.folder / "minbase.tar"
    common.Root(work, "minbase").make()
    zipped = work.folder / "minbase.tar.gz"
    if not zipped.exists() or zipped.stat().st_mtime < base.stat().st_mtime:
        with open(zipped, "wb") as file:
            common.run("gzip", "-1", "-c", base, quiet=False, stdout=file)
    sources = common.run("tar", "-xOf", base, "./etc/apt/sources.list").stdout
    mirror = re.search(r"^deb (?:\[[^]]*\] )?(\S+) bookworm ", sources, re.MULTILINE).group(1)
    debs = [deb for deb in sorted(work.debs.glob("*.deb")) if "-dbgsym_" not in deb.name]
    done = common.run("piuparts", "--basetgz", zipped, "-d", "bookworm", "-m", f"{mirror} main",
                      "--no-upgrade-test", *debs, check=False, timeout=1800)
    (work.folder / "piuparts.log").write_text(done.stdout, encoding="utf-8")
    common.check("piuparts", done.returncode == 0, done.stdout[-3000:])
