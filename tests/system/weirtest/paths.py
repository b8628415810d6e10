# SPDX-License-Identifier: Apache-2.0
"""Where the source tree, the build tree and the program under test are.

abs_top_builddir   build tree (default: build/ in the source tree)
WEIR               the program (default: weir in the build tree)
WEIR_PLUGIN_PATH, WEIR_PKGLIBDIR   read by weir itself (default: those of the build tree)
"""

import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("abs_top_builddir", TOP / "build")).resolve()
PROTOS = TOP / "tests" / "proto"
INTEROP = TOP / "tests" / "interop"
# Everything that the tests generate: message classes, node's packages.
GENERATED = BUILD / "tests" / "generated"


def weir_bin():
    """The weir executable."""
    path = pathlib.Path(os.environ.get("WEIR", BUILD / "weir"))
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"no weir at {path}: build it first")
    return path


def weir_env():
    """What weir needs in its environment to find the build tree's parts."""
    env = {}
    for name, folders in (("WEIR_PLUGIN_PATH", sorted(BUILD.glob("plugins-*"))),
                          ("WEIR_PKGLIBDIR", [BUILD / "sdk" / ".libs"])):
        if name not in os.environ and folders and folders[0].is_dir():
            env[name] = str(folders[0])
    return env
