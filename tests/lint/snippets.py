# SPDX-License-Identifier: Apache-2.0
"""The C in docs/developer compiles: the blocks of a page, one behind the other, below all public headers."""

import os
import re
import shlex
import subprocess

import sourcetree

FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-const-variable",
         "-Wno-unused-variable", "-fsyntax-only", "-I", os.path.join(sourcetree.TOP, "sdk/include")]
SYSTEM = ["errno.h", "stdio.h", "stdlib.h", "unistd.h"]


def preamble():
    public = sorted(name[len("sdk/include/"):] for name in sourcetree.files()
                    if name.startswith("sdk/include/") and name.endswith(".h"))
    check = ["check.h"] if os.path.exists("/usr/include/check.h") else []
    return "".join(f"#include <{header}>\n" for header in SYSTEM + check + public), bool(check)


def blocks(name, text):
    """The page's C, with its own line numbers."""
    source = ""
    for match in re.finditer(r"^```c\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start(1)) + 1
        source += f'#line {line} "{name}"\n{match.group(1)}'
    return source


def main():
    start, has_check = preamble()
    for name in sourcetree.files():
        source = blocks(name, sourcetree.read(name)) if name.startswith("docs/developer/") else ""
        if not source or ("START_TEST" in source and not has_check):
            continue
        result = subprocess.run(shlex.split(os.environ.get("CC", "cc")) + FLAGS + ["-x", "c", "-"], input=start + source,
                                text=True, capture_output=True, check=False)
        if result.returncode != 0:
            sourcetree.report(name, 0, f"does not compile:\n{result.stderr}")
    sourcetree.finish()


main()
