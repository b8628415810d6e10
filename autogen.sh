#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from a checkout. A release tarball does not need it.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf -fi "$@"
