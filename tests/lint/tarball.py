# SPDX-License-Identifier: Apache-2.0
"""Everything that is in git is in the tarball of `make dist`."""

import os

import sourcetree

NOT_SHIPPED = {".gitignore", ".gitattributes"}


def shipped():
    with open(os.path.join(sourcetree.BUILD, "distfiles"), encoding="utf-8") as file:
        names = file.read().split()
    relative = []
    for name in names:
        for base in (sourcetree.TOP, sourcetree.BUILD):
            path = name if os.path.isabs(name) else os.path.join(base, name)
            if os.path.exists(path):
                relative.append(os.path.relpath(path, sourcetree.TOP))
    return relative


def main():
    if not sourcetree.is_checkout():
        sourcetree.skip("not a git checkout")
    listed = set(shipped())
    for name in sourcetree.files():
        parents = name.split("/")
        ways = {"/".join(parents[:i + 1]) for i in range(len(parents))}
        if name not in NOT_SHIPPED and not ways & listed:
            sourcetree.report(name, 0, "is in git but not in the tarball: add it to EXTRA_DIST "
                                       "in its folder's fragment")
    sourcetree.finish()


main()
