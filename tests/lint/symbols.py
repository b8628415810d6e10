# SPDX-License-Identifier: Apache-2.0
"""A plugin shows one symbol, weir_component; libweir shows weir_* only, and fail points if they were configured."""

import glob
import os
import re
import subprocess

import sourcetree


def defined(path):
    lines = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, check=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def check_failpoints(library):
    """They are there if and only if configured with --enable-failpoints."""
    with open(f"{sourcetree.BUILD}/config.h", encoding="utf-8") as file:
        wanted = "#define WEIR_FAILPOINTS 1" in file.read()
    symbols = subprocess.run(["nm", library], capture_output=True, check=True, text=True).stdout
    sections = subprocess.run(["readelf", "-SW", library], capture_output=True, check=True, text=True).stdout
    if wanted != ("weir_failpoint" in symbols) or wanted < ("weir_failpoints" in sections):
        sourcetree.report("sdk/.libs/libweir.so", 0, f"fail points: {wanted} was configured")


def main():
    if os.environ.get("SANITIZER"):
        sourcetree.skip("a sanitizer adds symbols of its own")
    for path in sorted(glob.glob(f"{sourcetree.BUILD}/plugins/*/.libs/*.so")):
        symbols = defined(path)
        if symbols != {"weir_component"}:
            sourcetree.report(os.path.relpath(path, sourcetree.BUILD), 0,
                              f"shows {sorted(symbols)} and not weir_component alone")
    library = f"{sourcetree.BUILD}/sdk/.libs/libweir.so"
    for symbol in sorted(defined(library)):
        if not symbol.startswith("weir_") and not re.fullmatch(r"WEIR_1\.[0-9]+", symbol):
            sourcetree.report("sdk/.libs/libweir.so", 0, f"shows {symbol}")
    check_failpoints(library)
    sourcetree.finish()


main()
