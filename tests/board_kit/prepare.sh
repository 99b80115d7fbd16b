#!/bin/bash
# prepare.sh: everything that the kit's boards need, kept in ${WEBREPL_BRIDGE_CACHE:-~/.cache/webrepl-bridge}.
#
# Installs Debian packages where it may (apt-get, root), builds the Pico's firmware and fetches the npm packages.
# What this machine cannot have is told and left out: the tests that need it skip, or fail where CI=true.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
cache=${WEBREPL_BRIDGE_CACHE:-$HOME/.cache/webrepl-bridge}
mkdir -p "$cache"

# Two test runs at once must not prepare the same things twice.
exec 9> "$cache/lock"
if command -v flock > /dev/null; then flock 9; fi

# firmware.py computes the same.
digest() { (cd "$here" && cat "$@") | sha256sum | cut -c1-12; }

# packages PACKAGE...: make sure of Debian packages.
packages() {
  local installed
  installed=$(dpkg-query -W -f '${Status}\n' "$@" 2> /dev/null | grep -c '^install ok installed') || true
  [ "$installed" != $# ] || return 0
  if ! command -v apt-get > /dev/null || [ "$(id -u)" != 0 ]; then
    echo "boards: needs, as root on Debian: apt-get install $*" >&2
    return 1
  fi
  echo "boards: installing $*"
  apt_get update && apt_get install --no-install-recommends -y "$@"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" > "$cache/apt.log" 2>&1 ||
    { tail -n 20 "$cache/apt.log" >&2; return 1; }
}

prepare_node() {
  { command -v node && command -v npm; } > /dev/null || packages nodejs npm || return
  local folder
  folder=$cache/node-$(digest package.json package-lock.json)
  [ ! -e "$folder/node_modules" ] || return 0
  echo "boards: fetching the npm packages"
  rm -rf "$folder.partial"
  mkdir -p "$folder.partial"
  cp "$here/package.json" "$here/package-lock.json" "$folder.partial/"
  # No scripts: the one there is builds a driver for real serial ports, which nothing here uses.
  npm ci --prefix "$folder.partial" --ignore-scripts --no-audit --no-fund --loglevel=error || return
  rm -rf "$folder"
  mv "$folder.partial" "$folder"
}

prepare_pico() {
  local folder
  folder=$cache/pico-$(digest build_pico.sh fetch.sh picotool_stub.py)
  if [ -n "${WEBREPL_BRIDGE_PICO_UF2:-}" ] && [ -n "${WEBREPL_BRIDGE_PICO_UART_UF2:-}" ] &&
    [ -n "${WEBREPL_BRIDGE_PICO_WEBREPL_UF2:-}" ]; then
    return 0
  fi
  if [ ! -e "$folder/stock.uf2" ] || [ ! -e "$folder/uart.uf2" ] || [ ! -e "$folder/webrepl.uf2" ]; then
    packages gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib cmake make g++ \
      xz-utils bzip2 || return
    "$here/build_pico.sh" "$folder" "$cache/pico-work"
  fi
}

prepare_microbit() {
  command -v qemu-system-arm > /dev/null || packages qemu-system-arm || return
  [ -n "${WEBREPL_BRIDGE_MICROBIT_HEX:-}" ] || packages firmware-microbit-micropython
}

prepare_browser() {
  command -v chromium > /dev/null || packages chromium
}

prepare_curl() {
  command -v curl > /dev/null || packages curl
}

prepare_ser2net() {
  { ! command -v ser2net && [ ! -x /usr/sbin/ser2net ]; } > /dev/null || return 0
  packages ser2net || return
  # Only the program is wanted, not the service that Debian starts with it.
  { ! command -v systemctl || systemctl disable --now ser2net; } > /dev/null 2>&1 || true
}

# udevadm checks rules from systemd 254 on, which is newer than Debian 12's; it is unpacked, not installed.
prepare_udevadm() {
  { ! udevadm verify --help; } > /dev/null 2>&1 || return 0
  local folder=$cache/udevadm
  [ ! -e "$folder" ] || return 0
  echo "boards: fetching udevadm"
  rm -rf "$folder.partial"
  mkdir -p "$folder.partial"
  (
    cd "$folder.partial"
    "$here/fetch.sh" "$cache/apt" bookworm-backports download udev libsystemd-shared
    for package in *.deb; do dpkg-deb --extract "$package" .; done
    rm ./*.deb
  ) || return
  mv "$folder.partial" "$folder"
}

prepare_systemd() {
  command -v systemd-analyze > /dev/null || packages systemd
}

prepare_node || echo "boards: no emulated Pico" >&2
prepare_pico || echo "boards: no firmware for the emulated Pico" >&2
prepare_microbit || echo "boards: no emulated micro:bit" >&2
prepare_browser || echo "boards: no browser for the page" >&2
prepare_curl || echo "boards: no curl" >&2
prepare_ser2net || echo "boards: no ser2net to serve a board's port" >&2
prepare_systemd || echo "boards: no systemd to check the unit" >&2
prepare_udevadm || echo "boards: no udevadm to check the rules" >&2
