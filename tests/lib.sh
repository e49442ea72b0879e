# shellcheck shell=bash
# Helpers that ./run, ./test and the rigs share: where things are, how we speak, and how a missing
# package is named or installed. Sourced, never run; needs bash with `set -euo pipefail` in force.
# It must not print or change anything by being sourced.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}     # all that is made, the caches included
STAGE=${STAGE:-$BUILD/stage}   # DESTDIR of `meson install`: tests run what is installed there
export TOP BUILD STAGE

# say TEXT... - one line for the person who waits. On stderr, since stdout may carry data.
say() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die TEXT... - say why, end with 1.
die() {
  say "$*"
  exit 1
}

# packages_missing PKG... - the packages of the list that are not installed, one a line.
packages_missing() {
  local pkg
  for pkg in "$@"; do
    # config-files (removed, not purged) does not count, hence the status and not the exit code
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$pkg" 2>/dev/null)" = installed ] ||
      printf '%s\n' "$pkg"
  done
}

# need_packages PKG... - as root installs what is missing, and says so; otherwise names the line
# that root has to run, and ends with 1.
need_packages() {
  local missing install
  command -v dpkg-query >/dev/null || die "this needs Debian 12 (dpkg-query is not here)"
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" -ne 0 ]; then
    say "missing packages; as root run:"
    printf '  %s\n' "${install[*]}" >&2
    exit 1
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Stale or absent package lists are the common reason for a first failure.
  "${install[@]}" >&2 || { apt-get update >&2 && "${install[@]}" >&2; } ||
    die "could not install: ${missing[*]}"
}
