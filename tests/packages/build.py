# SPDX-License-Identifier: Apache-2.0
"""Builds the packages from a copy of the checkout, and makes an apt repository of them."""

import common


def main(work):
    with open(work.folder / "build.log", "w", encoding="utf-8") as log:
        done = common.run(common.TOP / "tools" / "build-packages", work.debs, check=False, quiet=False, timeout=3600,
                          stdout=log, stderr=log)
    if not common.check("dpkg-buildpackage -us -uc -b", done.returncode == 0, f"see {log.name}"):
        raise common.Broken("nothing to test")
    common.make_repository(work.debs.glob("*.deb"), work.repository)
