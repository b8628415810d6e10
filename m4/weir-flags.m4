# SPDX-License-Identifier: Apache-2.0

# WEIR_TRY_CFLAGS(VARIABLE, FLAG...)
# ----------------------------------
# Appends those flags to VARIABLE that the compiler takes without a warning.
AC_DEFUN([WEIR_TRY_CFLAGS], [
for weir_flag in $2; do
  AC_MSG_CHECKING([whether $CC takes $weir_flag])
  weir_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $weir_flag"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([])],
    [AC_MSG_RESULT([yes]); $1="$$1 $weir_flag"], [AC_MSG_RESULT([no])])
  CFLAGS=$weir_saved_CFLAGS
done
])

# WEIR_TRY_LDFLAGS(VARIABLE, FLAG...)
# -----------------------------------
# The same for flags of the link step.
AC_DEFUN([WEIR_TRY_LDFLAGS], [
for weir_flag in $2; do
  AC_MSG_CHECKING([whether $CC links with $weir_flag])
  weir_saved_LDFLAGS=$LDFLAGS
  LDFLAGS="$LDFLAGS -Werror $weir_flag"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([])],
    [AC_MSG_RESULT([yes]); $1="$$1 $weir_flag"], [AC_MSG_RESULT([no])])
  LDFLAGS=$weir_saved_LDFLAGS
done
])
