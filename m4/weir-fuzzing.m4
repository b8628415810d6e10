# SPDX-License-Identifier: Apache-2.0

# WEIR_FUZZING
# ------------
# --enable-fuzzing builds the fuzz targets with libFuzzer and AddressSanitizer (clang only).
# Without it the same targets get a main() that replays their corpus in `make check`.
AC_DEFUN([WEIR_FUZZING], [
AC_ARG_ENABLE([fuzzing], [AS_HELP_STRING([--enable-fuzzing], [link fuzz targets with libFuzzer])],
  [weir_fuzzing=$enableval], [weir_fuzzing=no])
FUZZ_ENGINE=
AS_IF([test "x$weir_fuzzing" = xyes], [
  AS_IF([test "x$weir_sanitizer" != xno], [AC_MSG_ERROR([--enable-fuzzing brings its own sanitizer])])
  weir_fuzz_flags="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
  SANITIZER_CFLAGS="$weir_fuzz_flags -fno-omit-frame-pointer"
  NO_UNDEFINED_LDFLAGS=
  AC_DEFINE([WITH_SANITIZER], [1], [Define if a sanitizer is compiled in.])
  FUZZ_ENGINE=-fsanitize=fuzzer
  weir_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS $SANITIZER_CFLAGS $FUZZ_ENGINE"
  AC_MSG_CHECKING([whether $CC has libFuzzer])
  AC_LINK_IFELSE([AC_LANG_SOURCE([
    int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n);
    int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { return p && n > 9 ? 0 : 0; }])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no]); AC_MSG_ERROR([--enable-fuzzing needs CC=clang with libFuzzer])])
  CFLAGS=$weir_saved_CFLAGS
])
AM_CONDITIONAL([FUZZING], [test "x$weir_fuzzing" = xyes])
AC_SUBST([FUZZ_ENGINE])
])
