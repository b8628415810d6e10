# SPDX-License-Identifier: Apache-2.0

# WEIR_PLUGINS_INIT
# -----------------
# Starts the list of plugins that the summary prints, and takes --with-role: only the plugins that the file roles/ROLE names
# are built then, and those that are asked for one by one.
AC_DEFUN([WEIR_PLUGINS_INIT], [weir_plugin_summary=
AC_ARG_WITH([role],
  [AS_HELP_STRING([--with-role=ROLE], [build the plugins of a role: sidecar, agent, gateway or all @<:@all@:>@])],
  [weir_role=$withval], [weir_role=all])
AS_IF([test "x$weir_role" != xall && test ! -f "$srcdir/roles/$weir_role"],
  [AC_MSG_ERROR([there is no role "$weir_role": those in $srcdir/roles are known, and "all"])])
])

# _WEIR_ROLE_HAS(KIND/NAME)
# -------------------------
# Succeeds if the plugin belongs to the role.
m4_define([_WEIR_ROLE_HAS], [test "x$weir_role" = xall || grep -qx "$1" "$srcdir/roles/$weir_role"])

# WEIR_PLUGIN(KIND, NAME)
# -----------------------
# Declares the in-tree plugin plugins/KIND/NAME: the option --enable-KIND-NAME (yes, no, auto),
# the Automake conditional PLUGIN_KIND_NAME and a row in the summary. The folder's plugin.m4,
# where there is one, looks for what the plugin needs and sets weir_plugin_why to a reason when it
# is missing: then "auto" leaves the plugin out and "yes" is an error.
AC_DEFUN([WEIR_PLUGIN], [
AC_ARG_ENABLE([$1-$2],
  [AS_HELP_STRING([--enable-$1-$2], [build $1/$2 @<:@auto@:>@])],
  [weir_plugin_want=$enableval], [weir_plugin_want=auto])
weir_plugin_why=
AS_IF([test "x$weir_plugin_want" = xno], [weir_plugin_why="switched off"],
  [test "x$weir_plugin_want" = xauto && ! { _WEIR_ROLE_HAS([$1/$2]); }], [weir_plugin_why="not of the role $weir_role"],
  [m4_sinclude([plugins/$1/$2/plugin.m4]):])
AS_IF([test "x$weir_plugin_want" = xyes && test -n "$weir_plugin_why"],
  [AC_MSG_ERROR([$1/$2 was asked for, but: $weir_plugin_why])])
AM_CONDITIONAL(m4_toupper([PLUGIN_$1_$2]), [test -z "$weir_plugin_why"])
AS_IF([test -z "$weir_plugin_why"], [weir_plugin_row=yes], [weir_plugin_row="no ($weir_plugin_why)"])
weir_plugin_summary="$weir_plugin_summary
    $1/$2: $weir_plugin_row"
])
