# SPDX-License-Identifier: Apache-2.0
"""The lists in roles/: plugins that exist, each once, and a gateway that can do what a sidecar can."""

import os
import re

import sourcetree


def declared():
    with open(os.path.join(sourcetree.TOP, "configure.ac"), encoding="utf-8") as file:
        return {"/".join(match) for match in re.findall(r"^WEIR_PLUGIN\(\[(\w+)\], \[(\w+)\]\)", file.read(), re.MULTILINE)}


def plugins_of(role, known):
    name = f"roles/{role}"
    found = []
    with open(os.path.join(sourcetree.TOP, name), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if line not in known:
                sourcetree.report(name, number, f"{line!r} is no plugin of configure.ac")
            if line in found:
                sourcetree.report(name, number, f"{line} stands twice")
            found.append(line)
    return set(found)


def main():
    known = declared()
    roles = {role: plugins_of(role, known) for role in sorted(os.listdir(os.path.join(sourcetree.TOP, "roles")))}
    if set(roles) != {"sidecar", "agent", "gateway"}:
        sourcetree.report("roles", 0, f"unexpected roles: {sorted(roles)}")
    for role in ("agent", "gateway"):
        for plugin in sorted(roles["sidecar"] - roles[role]):
            sourcetree.report(f"roles/{role}", 0, f"lacks {plugin} of the sidecar")
    sourcetree.finish()


main()
