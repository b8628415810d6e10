# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the list of source files and a way to report."""

import os
import re
import subprocess
import sys

TOP = os.environ.get("abs_top_srcdir", os.getcwd())
BUILD = os.environ.get("abs_top_builddir", os.path.join(TOP, "build"))

_LEFT_OUT = {".git", "autom4te.cache", "build-aux", "node_modules", "__pycache__"}
# The others are packages being built.
_OF_DEBIAN = {"source", "tests"}
# What the autotools add to a tarball.
_GENERATED = re.compile(r"^(aclocal\.m4|config\.h\.in~?|configure~?|Makefile\.in|m4/(libtool|lt.*)\.m4)$")
_findings = []


def is_checkout():
    return os.path.exists(os.path.join(TOP, ".git"))


def files():
    """Names of all source files, relative to the top: from git, or in a tarball all that is there."""
    if is_checkout():
        listed = subprocess.run(
            ["git", "-C", TOP, "-c", f"safe.directory={TOP}", "ls-files", "-z"],
            capture_output=True, check=True, text=True).stdout.split("\0")
        return sorted(name for name in listed if name and os.path.isfile(os.path.join(TOP, name)))
    found = []
    for folder, folders, names in os.walk(TOP):
        inside = os.path.realpath(folder)
        if os.path.exists(os.path.join(inside, "config.status")):
            folders[:] = []
            continue
        folders[:] = [f for f in folders if f not in _LEFT_OUT]
        if os.path.relpath(folder, TOP) == "debian":
            folders[:] = [f for f in folders if f in _OF_DEBIAN]
        found += [os.path.relpath(os.path.join(folder, name), TOP) for name in names]
    return sorted(name for name in found if not _GENERATED.match(name))


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as file:
        return file.read()


def is_text(name):
    with open(os.path.join(TOP, name), "rb") as file:
        return b"\0" not in file.read(4096)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def code(text, keep_strings=False):
    """C source with comments (and the inside of strings) blanked, line numbers kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)

    def replace(match):
        quoted = match.group()[0] in "\"'"
        return match.group() if quoted and keep_strings else blank(match)

    return token.sub(replace, text)


def report(name, line, message):
    _findings.append(f"{name}:{line}: {message}")


def finish():
    for finding in _findings:
        print(finding)
    if _findings:
        print(f"{len(_findings)} findings")
    sys.exit(1 if _findings else 0)


def skip(reason):
    print(reason)
    sys.exit(77)
