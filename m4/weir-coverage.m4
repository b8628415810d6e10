# SPDX-License-Identifier: Apache-2.0

# WEIR_COVERAGE
# -------------
# --enable-coverage builds for gcov; `make coverage` then prints gcovr's report.
AC_DEFUN([WEIR_COVERAGE], [
AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for coverage reports])],
  [weir_coverage=$enableval], [weir_coverage=no])
COVERAGE_CFLAGS=
AS_IF([test "x$weir_coverage" = xyes], [COVERAGE_CFLAGS="--coverage -fprofile-update=atomic"])
AC_SUBST([COVERAGE_CFLAGS])
])
