# SPDX-License-Identifier: Apache-2.0

# WEIR_CHECK_FAILPOINTS
# ---------------------
# --enable-failpoints builds in the places where tests have the process die; see sdk/src/base/failpoint.h.
AC_DEFUN([WEIR_CHECK_FAILPOINTS], [
AC_ARG_ENABLE([failpoints], [AS_HELP_STRING([--enable-failpoints], [for fault tests only: places to die at])],
  [weir_failpoints=$enableval], [weir_failpoints=no])
AS_IF([test "x$weir_failpoints" = xyes],
  [AC_DEFINE([WEIR_FAILPOINTS], [1], [Define for a build with fail points.])])
])
