# SPDX-License-Identifier: Apache-2.0
"""lintian has nothing to say that is worse than information."""

import common


def main(work):
    done = common.run("lintian", "--allow-root", "--fail-on", "error,warning", work.changes(), check=False)
    common.check("lintian", done.returncode == 0, done.stdout)
