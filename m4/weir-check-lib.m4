# SPDX-License-Identifier: Apache-2.0

# WEIR_CHECK_LIB(PREFIX, LIBRARY, FUNCTION, HEADER, DEBIAN-PACKAGE)
# -----------------------------------------------------------------
# Finds a library that has no pkg-config file; sets PREFIX_LIBS.
AC_DEFUN([WEIR_CHECK_LIB], [
AC_CHECK_HEADER([$4], [], [AC_MSG_ERROR([$4 is missing (Debian package $5)])])
AC_CHECK_LIB([$2], [$3], [AC_SUBST([$1_LIBS], [-l$2])],
  [AC_MSG_ERROR([lib$2 is missing (Debian package $5)])])
])
