# SPDX-License-Identifier: Apache-2.0

# WEIR_SANITIZER
# --------------
# --with-sanitizer=address,undefined or =thread. Sets SANITIZER_CFLAGS (compile and link) and
# NO_UNDEFINED_LDFLAGS, which is empty under a sanitizer: clang leaves its runtime's symbols in a
# shared object undefined.
AC_DEFUN([WEIR_SANITIZER], [
AC_ARG_WITH([sanitizer],
  [AS_HELP_STRING([--with-sanitizer=LIST], [address,undefined or thread or memory])],
  [weir_sanitizer=$withval], [weir_sanitizer=no])
AS_IF([test "x$weir_sanitizer" = xyes], [weir_sanitizer=address,undefined])
SANITIZER_CFLAGS=
NO_UNDEFINED_LDFLAGS="-no-undefined -Wl,-z,defs"
AS_IF([test "x$weir_sanitizer" != xno], [
  SANITIZER_CFLAGS="-fsanitize=$weir_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
  NO_UNDEFINED_LDFLAGS=
  AC_DEFINE([WITH_SANITIZER], [1], [Define if a sanitizer is compiled in.])
  weir_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
  AC_MSG_CHECKING([whether $CC links with $SANITIZER_CFLAGS])
  AC_LINK_IFELSE([AC_LANG_PROGRAM([])], [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no]); AC_MSG_ERROR([$CC has no sanitizer "$weir_sanitizer"])])
  CFLAGS=$weir_saved_CFLAGS
])
AM_CONDITIONAL([SANITIZER], [test "x$weir_sanitizer" != xno])
AC_SUBST([SANITIZER_CFLAGS])
AC_SUBST([NO_UNDEFINED_LDFLAGS])
])
