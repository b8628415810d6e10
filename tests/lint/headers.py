# SPDX-License-Identifier: Apache-2.0
"""Each public header compiles alone, as C11 and as C++ (where there is a C++ compiler), says what each function does, and
the numbers of the ABI are the same wherever they stand."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import sourcetree

FLAGS = ["-Wall", "-Wextra", "-Werror", "-Wundef", "-pedantic", "-fsyntax-only",
         "-I", os.path.join(sourcetree.TOP, "sdk/include")]


# What C++ is to read as C does.
USE = """#include <weir/component.h>
struct weir_str use_of_a_text() { return WEIR_STR("text"); }
struct weir_result use_of_a_result() { return WEIR_RESULT_RETRYABLE("why"); }
struct weir_value use_of_a_value() { return weir_value_string(WEIR_STR_NONE); }
"""


def compile_text(source, name, command, language):
    result = subprocess.run(command + FLAGS + ["-x", language, "-"], input=source, text=True,
                            capture_output=True, check=False)
    if result.returncode != 0:
        sourcetree.report(name, 1, f"does not compile alone as {language}:\n{result.stderr}")


def compile_alone(name, command, language):
    compile_text(f"#include <{name[len('sdk/include/'):]}>\n", name, command, language)


def check_numbers():
    major, minor = (re.search(rf"#define WEIR_ABI_{part} (\d+)", sourcetree.read("sdk/include/weir/component.h")).group(1)
                    for part in ("MAJOR", "MINOR"))
    if f"AC_SUBST([plugin_abi], [{major}])" not in sourcetree.read("configure.ac"):
        sourcetree.report("configure.ac", 0, f"plugin_abi is not {major}, as <weir/component.h> has it")
    if f"WEIR_{major}.{minor} {{" not in sourcetree.read("sdk/libweir.map"):
        sourcetree.report("sdk/libweir.map", 0, f"has no node WEIR_{major}.{minor} for what this version added")


def main():
    compilers = [(shlex.split(os.environ.get("CC", "cc")) + ["-std=c11"], "c")]
    cxx = shutil.which("g++") or shutil.which("clang++")
    if cxx:
        compilers.append(([cxx, "-std=c++17"], "c++"))
        compile_text(USE, "sdk/include/weir/component.h", *compilers[-1])
    for name in sourcetree.files():
        if name.startswith("sdk/include/") and name.endswith(".h"):
            for command, language in compilers:
                compile_alone(name, command, language)
    done = subprocess.run([sys.executable, os.path.join(sourcetree.TOP, "tools/make-reference"), "--check"], text=True,
                          capture_output=True, check=False)
    for line in (done.stdout + done.stderr).splitlines():
        sourcetree.report("sdk/include", 0, line)
    check_numbers()
    sourcetree.finish()


main()
