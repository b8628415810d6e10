# SPDX-License-Identifier: Apache-2.0
"""A plugin shows one symbol, weir_component; libweir shows weir_* only."""

import glob
import os
import re
import subprocess

import sourcetree


def defined(path):
    lines = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, check=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


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
    sourcetree.finish()


main()
