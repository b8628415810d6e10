dnl SPDX-License-Identifier: Apache-2.0
dnl Hashes of passwords: bcrypt, SHA-crypt, MD5-crypt and yescrypt come from libcrypt.
AC_CHECK_HEADER([crypt.h], [], [weir_plugin_why="crypt.h is missing (Debian package libcrypt-dev)"])
AC_CHECK_LIB([crypt], [crypt_r], [AC_SUBST([CRYPT_LIBS], [-lcrypt])],
  [weir_plugin_why="libcrypt is missing (Debian package libcrypt-dev)"])
