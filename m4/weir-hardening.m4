# SPDX-License-Identifier: Apache-2.0

# WEIR_HARDENING
# --------------
# Sets HARDEN_CFLAGS and HARDEN_LDFLAGS (everything), PIE_CFLAGS and PIE_LDFLAGS (programs).
# On unless --disable-hardening; off under a sanitizer, whose checks these flags would hide.
AC_DEFUN([WEIR_HARDENING], [
AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [build without hardening flags])],
  [weir_hardening=$enableval], [weir_hardening=yes])
AS_IF([test "x$weir_sanitizer$weir_fuzzing$weir_coverage" != xnonono], [weir_hardening=no])
HARDEN_CFLAGS= HARDEN_LDFLAGS= PIE_CFLAGS= PIE_LDFLAGS=
AS_IF([test "x$weir_hardening" = xyes], [
  # glibc warns when _FORTIFY_SOURCE meets -O0; a packager's own level wins.
  AS_CASE([" $CFLAGS $CPPFLAGS "], [*" -O0 "*|*_FORTIFY_SOURCE*], [],
    [WEIR_TRY_CFLAGS([HARDEN_CFLAGS], [-D_FORTIFY_SOURCE=2])])
  WEIR_TRY_CFLAGS([HARDEN_CFLAGS], [-fstack-protector-strong -fstack-clash-protection -fcf-protection])
  WEIR_TRY_LDFLAGS([HARDEN_LDFLAGS], [-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack])
  WEIR_TRY_CFLAGS([PIE_CFLAGS], [-fPIE])
  WEIR_TRY_LDFLAGS([PIE_LDFLAGS], [-pie])
])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])
AC_SUBST([PIE_CFLAGS])
AC_SUBST([PIE_LDFLAGS])
])
