# SPDX-License-Identifier: Apache-2.0
"""A second build, elsewhere, under another user's settings and without ccache, gives the same packages byte for byte."""

import hashlib
import os

import common

OTHER = {"NO_CCACHE": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "de_DE.UTF-8", "HOME": "/nonexistent", "USER": "somebody"}


def sums(folder):
    return {deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in folder.glob("*.deb")}


def main(work):
    again = work.fresh("second-build-in-a-longer-path")
    with open(work.folder / "reproducible.log", "w", encoding="utf-8") as log:
        common.run("sh", "-c", f"umask 027; exec {common.TOP}/tools/build-packages {again}", quiet=False, timeout=3600, stdout=log,
                   stderr=log, env={**os.environ, **OTHER})
    first, second = sums(work.debs), sums(again)
    common.check(f"{len(first)} packages are there both times", set(first) == set(second))
    different = sorted(name for name in first if first[name] != second.get(name))
    common.check("and are equal", not different, " ".join(different))
    for name in different[:1]:
        common.note(common.run("diffoscope", "--text", "-", work.debs / name, again / name, check=False).stdout[:4000])
