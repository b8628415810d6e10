# SPDX-License-Identifier: Apache-2.0
"""The units: systemd reads them without complaint, and finds little that the service is exposed to."""

import re

import common

EXPOSURE_MAX = 2.0


def main(work):
    folder = work.fresh("unit")
    common.run("dpkg-deb", "-x", next(work.debs.glob("weir_*.deb")), folder)
    units = [folder / "lib/systemd/system" / name for name in ("weir.service", "weir.socket")]
    for unit in units:
        text = unit.read_text(encoding="utf-8")
        unit.write_text(text.replace("=/usr/bin/", f"={folder}/usr/bin/"), encoding="utf-8")
    verified = common.run("systemd-analyze", "verify", "--man=no", *units, check=False)
    common.check("systemd-analyze verify", verified.returncode == 0, verified.stdout)
    score = common.run("systemd-analyze", "security", "--offline=true", units[0]).stdout
    exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", score).group(1))
    common.check(f"systemd-analyze security: {exposure} is under {EXPOSURE_MAX}", exposure < EXPOSURE_MAX, score)
