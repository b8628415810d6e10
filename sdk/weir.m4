# SPDX-License-Identifier: Apache-2.0
# serial 1
# For plugins of the weir telemetry collector that are built outside its tree. configure.ac:
#
#     AC_INIT([weir-exporter-sample], [1.0])
#     AM_INIT_AUTOMAKE([foreign subdir-objects])
#     AC_PROG_CC
#     AM_PROG_AR
#     LT_INIT([disable-static])
#     WEIR_PLUGIN([exporters], [sample])
#     AC_CONFIG_FILES([Makefile])
#     AC_OUTPUT
#
# Makefile.am:
#
#     exporters_LTLIBRARIES = sample.la
#     sample_la_SOURCES = sample.c
#     sample_la_CFLAGS = $(WEIR_PLUGIN_CFLAGS)
#     sample_la_LDFLAGS = -module -avoid-version $(WEIR_PLUGIN_LDFLAGS)
#     sample_la_LIBADD = $(WEIR_PLUGIN_LIBS)

# WEIR_SDK
# --------
# Finds the SDK with pkg-config. Sets for Makefiles:
#
#     WEIR_PLUGIN_CFLAGS, WEIR_PLUGIN_LDFLAGS, WEIR_PLUGIN_LIBS    for plugins, with libtool
#     WEIR_HARNESS_CFLAGS, WEIR_HARNESS_LIBS    for their tests
#     WEIR_PLUGIN_ABI    the ABI number that the SDK is for
#     WEIR_PLUGINDIR and, below it, receiversdir, processorsdir, exportersdir, connectorsdir, extensionsdir
#     WEIR    the collector's program
#
# Plugins go where that collector looks for them, whatever the prefix is; --with-weir-plugindir=DIR says otherwise.
#
# Since weir 0.1.
AC_DEFUN([WEIR_SDK], [
AC_REQUIRE([PKG_PROG_PKG_CONFIG])
PKG_CHECK_MODULES([WEIR_LIBRARY], [weir])
PKG_CHECK_MODULES([WEIR_HARNESS], [weir-harness])
_WEIR_VARIABLE([WEIR], [weir])
_WEIR_VARIABLE([WEIR_PLUGIN_ABI], [plugin_abi])
_WEIR_VARIABLE([weir_cflags], [plugin_cflags])
_WEIR_VARIABLE([weir_ldflags], [plugin_ldflags])
AC_SUBST([WEIR_PLUGIN_CFLAGS], ["$weir_cflags $WEIR_LIBRARY_CFLAGS"])
AC_SUBST([WEIR_PLUGIN_LDFLAGS], ["-no-undefined $weir_ldflags"])
AC_SUBST([WEIR_PLUGIN_LIBS], ["$WEIR_LIBRARY_LIBS"])
AC_ARG_WITH([weir-plugindir],
  [AS_HELP_STRING([--with-weir-plugindir=DIR], [where plugins are installed @<:@as weir.pc says@:>@])],
  [AC_SUBST([WEIR_PLUGINDIR], [$withval])],
  [_WEIR_VARIABLE([WEIR_PLUGINDIR], [plugindir])])
AC_SUBST([receiversdir], ['${WEIR_PLUGINDIR}/receivers'])
AC_SUBST([processorsdir], ['${WEIR_PLUGINDIR}/processors'])
AC_SUBST([exportersdir], ['${WEIR_PLUGINDIR}/exporters'])
AC_SUBST([connectorsdir], ['${WEIR_PLUGINDIR}/connectors'])
AC_SUBST([extensionsdir], ['${WEIR_PLUGINDIR}/extensions'])
])

# _WEIR_VARIABLE(SHELL-VARIABLE, VARIABLE-OF-weir.pc)
# ---------------------------------------------------
AC_DEFUN([_WEIR_VARIABLE], [
$1=`$PKG_CONFIG --variable=$2 weir`
AS_IF([test -z "$$1"], [AC_MSG_ERROR([weir.pc says nothing of "$2": is it of this weir?])])
AC_SUBST([$1])
])

# WEIR_PLUGIN(KIND, NAME)
# -----------------------
# Declares the plugin KIND/NAME (KIND: receivers, processors, exporters, connectors or extensions), as the macro of that
# name does in weir's own tree: finds the SDK, gives --disable-KIND-NAME, and sets the Automake conditional
# PLUGIN_KIND_NAME. May come several times.
#
# Since weir 0.1.
AC_DEFUN([WEIR_PLUGIN], [
AC_REQUIRE([WEIR_SDK])
m4_if(m4_index([ receivers processors exporters connectors extensions ], [ $1 ]), [-1],
  [m4_fatal([WEIR_PLUGIN: there is no kind "$1": it is receivers, processors, exporters, connectors or extensions])])
AC_ARG_ENABLE([$1-$2], [AS_HELP_STRING([--disable-$1-$2], [leave $1/$2 out])],
  [weir_plugin_want=$enableval], [weir_plugin_want=yes])
AM_CONDITIONAL(m4_toupper([PLUGIN_$1_$2]), [test "x$weir_plugin_want" != xno])
])
