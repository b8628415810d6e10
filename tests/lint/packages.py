# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: debian/control is what its parts make, and the version is configure's."""

import os
import re
import subprocess
import sys

import sourcetree


def check_control():
    made = subprocess.run([sys.executable, os.path.join(sourcetree.TOP, "debian", "make-control"), "--check"],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        sourcetree.report("debian/control", 1, made.stderr.strip())


def check_version():
    ours = re.search(r"^AC_INIT\(\[weir\], \[([^]]+)\]\)", sourcetree.read("configure.ac"), re.MULTILINE).group(1)
    theirs = re.match(r"weir \(([^)~+]+)", sourcetree.read("debian/changelog")).group(1)
    if ours != theirs:
        sourcetree.report("debian/changelog", 1, f"is of version {theirs}, configure.ac of {ours}")


def check_abi():
    """The plugin folder's number, libweir's soname and the names of packages are the major ABI version."""
    major = re.search(r"^#define WEIR_ABI_MAJOR (\d+)$", sourcetree.read("sdk/include/weir/component.h"), re.MULTILINE).group(1)
    if f"AC_SUBST([plugin_abi], [{major}])" not in sourcetree.read("configure.ac"):
        sourcetree.report("configure.ac", 1, f"plugin_abi is not {major}")
    if f"/weir/plugins-{major}\n" not in sourcetree.read("debian/weir.triggers.in"):
        sourcetree.report("debian/weir.triggers.in", 1, f"does not watch plugins-{major}")
    if f"\nPackage: libweir{major}\n" not in sourcetree.read("debian/control.in"):
        sourcetree.report("debian/control.in", 1, f"has no package libweir{major}")


def main():
    check_control()
    check_version()
    check_abi()
    sourcetree.finish()


main()
