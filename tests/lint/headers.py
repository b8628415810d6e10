# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone, as C11 and as C++ (where there is a C++ compiler)."""

import os
import shlex
import shutil
import subprocess

import sourcetree

FLAGS = ["-Wall", "-Wextra", "-Werror", "-Wundef", "-fsyntax-only",
         "-I", os.path.join(sourcetree.TOP, "sdk/include")]


def compile_alone(name, command, language):
    source = f"#include <{name[len('sdk/include/'):]}>\n"
    result = subprocess.run(command + FLAGS + ["-x", language, "-"], input=source, text=True,
                            capture_output=True, check=False)
    if result.returncode != 0:
        sourcetree.report(name, 1, f"does not compile alone as {language}:\n{result.stderr}")


def main():
    compilers = [(shlex.split(os.environ.get("CC", "cc")) + ["-std=c11"], "c")]
    cxx = shutil.which("g++") or shutil.which("clang++")
    if cxx:
        compilers.append(([cxx, "-std=c++17"], "c++"))
    for name in sourcetree.files():
        if name.startswith("sdk/include/") and name.endswith(".h"):
            for command, language in compilers:
                compile_alone(name, command, language)
    sourcetree.finish()


main()
