# SPDX-License-Identifier: Apache-2.0
"""Habits of the source text: licence line, config.h first, layers, banned functions, size."""

import os
import re

import sourcetree

LINES_MAX = 800
BANNED = re.compile(
    r"\b(v?sprintf|strcpy|strncpy|strcat|strncat|gets|strtok|ato[ifl]|atoll|alloca|tmpnam|mktemp)"
    r"\s*\(")
# Spelled in pieces, so that this file passes its own lint.
FORBIDDEN = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
WITH_SPDX = re.compile(r"\.(c|h|cc|ac|am|m4|map|proto|py|sh|mjs|js)$|^configure\.ac$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
IN_TEST = re.compile(r"(^|/)tests/")


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_any(name, text):
    head = "\n".join(text.split("\n", 4)[:4])
    script = text.startswith("#!")
    if (WITH_SPDX.search(name) or script) and "SPDX-License-Identifier: " not in head:
        sourcetree.report(name, 1, "no SPDX-License-Identifier line at the top")
    if name != "COPYING":
        for match in FORBIDDEN.finditer(text):
            sourcetree.report(name, line_of(text, match.start()), f"forbidden word {match.group()}")
    if re.search(r"\.(c|h|py|mjs)$", name) and text.count("\n") > LINES_MAX:
        sourcetree.report(name, LINES_MAX, f"more than {LINES_MAX} lines")


def own_folder(name):
    return "/".join(name.split("/")[:3]) + "/"


def check_layer(name, line, quoted, path):
    """sdk sees no core and no plugin, core sees no plugin, plugins see the SDK's contracts only."""
    top = name.split("/")[0]
    if IN_TEST.search(name):
        return
    private = path.startswith(("core/", "sdk/src/", "plugins/"))
    if top == "sdk" and path.startswith(("core/", "plugins/")):
        sourcetree.report(name, line, f"the SDK must not include {path}")
    if top == "core" and path.startswith(("plugins/", "sdk/src/")):
        sourcetree.report(name, line, f"the core must not include {path}")
    if top == "plugins":
        if private and not path.startswith(own_folder(name)):
            sourcetree.report(name, line, f"a plugin must not include {path}")
        if not private and quoted and "/" in path:
            sourcetree.report(name, line, f"private headers are included from the top: {path}")


def check_c(name, text):
    plain = sourcetree.code(text)
    includes = list(INCLUDE.finditer(sourcetree.code(text, keep_strings=True)))
    if name.endswith(".c") and not name.startswith("examples/"):
        if not includes or includes[0].group(2) != "config.h":
            line = line_of(text, includes[0].start()) if includes else 1
            sourcetree.report(name, line, "does not include <config.h> first")
    for include in includes:
        check_layer(name, line_of(text, include.start()), include.group(1) == '"',
                    include.group(2))
    for match in BANNED.finditer(plain):
        sourcetree.report(name, line_of(plain, match.start()), f"banned function {match.group(1)}")
    if name.startswith("sdk/include/"):
        for include in includes:
            if include.group(1) == '"':
                sourcetree.report(name, line_of(text, include.start()),
                                  "a public header includes <weir/...> and the system only")


def main():
    for name in sourcetree.files():
        if os.path.islink(os.path.join(sourcetree.TOP, name)) or not sourcetree.is_text(name):
            continue
        if name.startswith("tests/fuzz/corpus/") or name.endswith("package-lock.json"):
            continue
        text = sourcetree.read(name)
        check_any(name, text)
        if name.endswith((".c", ".h")):
            check_c(name, text)
    sourcetree.finish()


main()
