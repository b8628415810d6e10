# SPDX-License-Identifier: Apache-2.0

# WEIR_WARNINGS
# -------------
# Sets WARN_CFLAGS: language level and warnings. --enable-werror makes them errors.
AC_DEFUN([WEIR_WARNINGS], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
  [weir_werror=$enableval], [weir_werror=no])
WARN_CFLAGS=-std=c11
WEIR_TRY_CFLAGS([WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wcast-align \
  -Wimplicit-fallthrough -Wnested-externs -Wredundant-decls -Wlogical-op \
  -Wduplicated-cond -Wduplicated-branches -Walloca])
AS_IF([test "x$weir_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])
