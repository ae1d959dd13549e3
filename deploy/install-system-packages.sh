#!/bin/sh
# Installs the system packages that wok can do without but is faster with. Today that is one:
# libsecp256k1, which checks signatures (wok falls back to an npm package, then to JavaScript).
#
# Usage: install-system-packages.sh [--require | --with-test-tools]
#
# --with-test-tools installs, where they can be had, the programs that tests of deploy/ and of the service
# look for (systemd-analyze, nginx, caddy, openssl, chromium, promtool); a test whose program is missing
# skips. A service that comes along is not left running.
#
# Needs apt-get, and root or sudo. Prints what it did.
#
# Exit codes:
#   0  the library is there, now or already; or it cannot be had here, which is said on standard
#      error, and wok runs with a slower backend. So a container build never fails because of it.
#   1  only with --require: the library is not there.
#   2  wrong usage.
set -u

# Newest first; a distribution has one of them.
SONAMES='7 6 5 2 1 0'
require=no
tools=no

say() {
  printf 'install-system-packages: %s\n' "$*"
}

# Ends the script when there is nothing to be had.
give_up() {
  say "$*" >&2
  say 'wok runs all the same; it checks signatures with a slower backend.' >&2
  if [ "$require" = yes ]; then exit 1; fi
  exit 0
}

# Prints where the dynamic loader finds the library; fails if it finds none.
find_library() {
  for version in $SONAMES; do
    path=$(ldconfig -p 2>/dev/null | sed -n "s/^.*libsecp256k1\.so\.$version .*=> //p" | head -n 1)
    if [ -n "$path" ]; then
      printf '%s\n' "$path"
      return 0
    fi
  done
  return 1
}

# Prints the package that this distribution can install; fails if there is none.
find_package() {
  for version in $SONAMES; do
    if [ -n "$(apt-cache madison "libsecp256k1-$version" 2>/dev/null)" ]; then
      printf 'libsecp256k1-%s\n' "$version"
      return 0
    fi
  done
  return 1
}

# Runs a command as root: directly, through sudo, or not at all.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# Every package by itself: one that is not to be had must not keep the others away.
install_tools() {
  command -v apt-get >/dev/null 2>&1 || return 0
  for tool in systemd:systemd-analyze nginx-light:nginx caddy:caddy openssl:openssl \
    chromium:chromium zstd:zstd \
    prometheus:promtool python3-yaml:/usr/lib/python3/dist-packages/yaml/__init__.py; do
    if command -v "${tool#*:}" >/dev/null 2>&1 || [ -e "${tool#*:}" ]; then continue; fi
    # Nothing is started: a test brings its own configuration.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends "${tool%%:*}" >/dev/null 2>&1 ||
      say "no ${tool%%:*} here; tests that want ${tool#*:} skip" >&2
    case "$tool" in
      nginx* | caddy* | prometheus*)
        if [ -d /run/systemd/system ]; then
          as_root systemctl disable --now --quiet "${tool%%[-:]*}" || :
        fi
        ;;
    esac
  done
}

main() {
  if library=$(find_library); then
    say "libsecp256k1 is there already: $library"
    return 0
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    give_up 'no apt-get here; install libsecp256k1 with the package manager of this system' \
      '(apk add libsecp256k1, dnf install libsecp256k1, pacman -S libsecp256k1, brew install secp256k1).'
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
    give_up 'installing packages needs root or sudo.'
  fi
  if ! package=$(find_package); then
    say 'no package libsecp256k1-N known; running apt-get update'
    as_root apt-get update -qq || say 'apt-get update failed' >&2
    package=$(find_package) || give_up 'this distribution has no package libsecp256k1-N.'
  fi
  say "installing $package"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$package" ||
    give_up "apt-get install $package failed."
  library=$(find_library) || give_up "$package is installed, but the loader does not find it."
  say "installed $package: $library"
}

case "$*" in
  '') ;;
  --require) require=yes ;;
  --with-test-tools) tools=yes ;;
  *)
    say "cannot take $*; usage: install-system-packages.sh [--require | --with-test-tools]" >&2
    exit 2
    ;;
esac
# ldconfig lies here, and the PATH of people other than root lacks these folders.
PATH=$PATH:/usr/sbin:/sbin
if [ "$tools" = yes ]; then install_tools; fi
main
