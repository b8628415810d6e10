# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts beside it, which source it from the top of the tree.

jobs=${JOBS:-$(nproc)}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "$0: to install packages, run as root or install sudo" >&2
        return 1
    fi
}

# Prints the packages of the given lists that are not there. Node and npm also count when they
# come from elsewhere.
missing_packages() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | while read -r package; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *" installed") continue ;;
        esac
        case $package in
        nodejs) command -v node >/dev/null && continue ;;
        npm) command -v npm >/dev/null && continue ;;
        esac
        echo "$package"
    done
}

install_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    echo "Installing Debian packages:" $missing
    as_root apt-get -qq update
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends $missing
}

# configure_in FOLDER OPTION...: configures once; later runs only rebuild. Makefile.in and Makefile are
# what autogen.sh and configure write last, so an interrupted run is repeated.
configure_in() {
    folder=$1
    shift
    [ -f Makefile.in ] || ./autogen.sh
    mkdir -p "$folder"
    [ -f "$folder/Makefile" ] || (cd "$folder" && ../configure --quiet "$@")
}

# The compiler, by way of ccache where that is installed.
cached() {
    if command -v ccache >/dev/null; then echo "ccache $1"; else echo "$1"; fi
}
