# SPDX-License-Identifier: Apache-2.0
"""The example of plugins outside the tree, built in a clean Debian 12 from weir-dev alone, installed, and run by weir."""

import shutil

import common

EXAMPLE = common.TOP / "examples/plugin-out-of-tree"
# The same plugin, for an ABI that this weir does not have.
FOREIGN = """set -e
cp -r /usr/include/weir /tmp/foreign-weir-headers && mkdir -p /tmp/foreign && mv /tmp/foreign-weir-headers /tmp/foreign/weir
sed -i 's/^#define WEIR_ABI_MAJOR .*/#define WEIR_ABI_MAJOR 99/' /tmp/foreign/weir/component.h
mkdir -p /tmp/plugins/processors && : >/tmp/foreign/config.h
cc -fPIC -I/tmp/foreign -D_GNU_SOURCE -DPACKAGE_VERSION='"1"' $(pkg-config --variable=plugin_cflags weir) \\
    $(pkg-config --variable=plugin_ldflags weir) -o /tmp/plugins/processors/truncate.so /example/truncate.c $(pkg-config --libs weir)
"""


def build(root):
    shutil.copytree(EXAMPLE, root.folder / "example")
    needs = root.apt("install", "--no-install-recommends", "build-essential", "debhelper", "check", "pkg-config", "weir-dev",
                     check=False)
    if not common.check("apt-get install weir-dev", needs.returncode == 0, needs.stdout):
        return False
    common.check("weir-dev does not bring weir", "weir" not in root.packages())
    done = root.call("sh", "-c", "cd /example && dpkg-buildpackage -us -uc -b", check=False)
    return common.check("dpkg-buildpackage of examples/plugin-out-of-tree, its tests included", done.returncode == 0,
                        done.stdout[-3000:])


def main(work):
    with common.Root(work, "minbase") as root:
        root.use_repository(work.repository)
        if not build(root):
            return
        done = root.call("sh", "-c", "apt-get -qq -y install weir-sidecar /weir-*_*.deb", check=False)
        common.check("apt-get install of what it made, with weir-sidecar", done.returncode == 0, done.stdout[-3000:])
        done = root.call("weir", "validate", "--config=/example/example.yaml", check=False)
        common.check("its plugins are found by name", done.returncode == 0, done.stdout)
        root.call("sh", "-c", FOREIGN)
        root.apt("purge", "weir-processor-truncate")
        done = root.call("weir", "validate", "--plugin-dir=/tmp/plugins", "--config=/example/example.yaml", check=False)
        common.check("one that was built for another ABI is refused with a sentence",
                     done.returncode == 1 and "was built for plugin ABI 99." in done.stdout, done.stdout)
