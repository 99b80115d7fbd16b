#!/bin/bash
# build_pico.sh OUT_FOLDER WORK_FOLDER [FLAVOUR...]
#
# Builds MicroPython 1.25.0 for the Raspberry Pi Pico from Debian's own source packages, its C code unpatched, as
# OUT_FOLDER/FLAVOUR.uf2; a flavour that is there already is not built again. About 40 s each, after the downloads.
#
#   stock    what the RPI_PICO board has: no websocket, no _webrepl module
#   uart     the REPL on UART 0 at 115200 baud as well as on USB, as on boards with a USB-serial chip
#   webrepl  with the C modules websocket and _webrepl, as boards with a network stack have
#
# Needs Debian's apt-get and dpkg-deb, python3, and these packages, which prepare.sh installs:
#   gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib cmake make g++ xz-utils bzip2
set -euo pipefail

usage="usage: build_pico.sh OUT_FOLDER WORK_FOLDER [FLAVOUR...]"
out=$(realpath -m "${1:?$usage}")
work=$(realpath -m "${2:?$usage}")
shift 2
flavours=("$@")
[ $# -gt 0 ] || flavours=(stock uart webrepl)
here=$(dirname "$(realpath "$0")")
jobs=$(nproc)

# quietly NAME COMMAND...: run a command; show what it said only if it fails.
quietly() {
  local log=$work/$1.log
  shift
  "$@" > "$log" 2>&1 || { tail -n 20 "$log" >&2; echo "failed: $*; all of it is in $log" >&2; exit 1; }
}

missing=()
for flavour in "${flavours[@]}"; do
  [ -e "$out/$flavour.uf2" ] || missing+=("$flavour")
done
[ ${#missing[@]} -gt 0 ] || exit 0
mkdir -p "$out" "$work/downloads"

# Sources: MicroPython and three of its libraries, fetched as packages of trixie, and unpacked, not installed.
cd "$work/downloads"
if [ ! -e complete ]; then
  rm -f ./*.deb ./*.orig.tar.*
  quietly fetch-packages "$here/fetch.sh" "$work/apt" trixie download pico-sdk-source tinyusb-source
  quietly fetch-sources "$here/fetch.sh" "$work/apt" trixie source micropython mbedtls
  touch complete
fi

cd "$work"
rm -rf micropython packages board-* build-*
mkdir -p micropython packages
tar xf downloads/micropython_*.orig.tar.* -C micropython --strip-components=1
dpkg-deb -x downloads/pico-sdk-source_*.deb packages
dpkg-deb -x downloads/tinyusb-source_*.deb packages
rm -rf micropython/lib/{pico-sdk,tinyusb,mbedtls}
cp -r packages/usr/src/pico-sdk packages/usr/src/tinyusb micropython/lib/
rm -f micropython/lib/pico-sdk/lib/tinyusb
ln -s ../../tinyusb micropython/lib/pico-sdk/lib/tinyusb
mkdir micropython/lib/mbedtls
tar xf downloads/mbedtls_*.orig.tar.* -C micropython/lib/mbedtls --strip-components=1 --wildcards \
  '*/library' '*/include'
mkdir -p micropython/lib/micropython-lib
touch micropython/lib/micropython-lib/README.md # the build asks for no more of it
quietly mpy-cross make -C micropython/mpy-cross -j"$jobs"

# The SDK wants picotool, which Debian has not; all that it does here is to turn an ELF file into UF2.
mkdir -p picotool
cat > picotool/picotoolConfig.cmake <<EOF
if(NOT TARGET picotool)
  add_executable(picotool IMPORTED GLOBAL)
  set_property(TARGET picotool PROPERTY IMPORTED_LOCATION $here/picotool_stub.py)
endif()
EOF
cat > picotool/picotoolConfigVersion.cmake <<'EOF'
set(PACKAGE_VERSION ${PACKAGE_FIND_VERSION})
set(PACKAGE_VERSION_COMPATIBLE TRUE)
set(PACKAGE_VERSION_EXACT TRUE)
EOF
# What the board's own manifest freezes, less what comes from micropython-lib.
cat > manifest.py <<'EOF'
freeze("$(PORT_DIR)/modules")
include("$(MPY_DIR)/extmod/asyncio")
EOF

for flavour in "${missing[@]}"; do
  echo "building the Pico's $flavour firmware"
  cp -r micropython/ports/rp2/boards/RPI_PICO "board-$flavour"
  case $flavour in
    stock) ;;
    uart) echo '#define MICROPY_HW_ENABLE_UART_REPL (1)' ;;
    webrepl) printf '#define %s (1)\n' MICROPY_PY_WEBSOCKET MICROPY_PY_WEBREPL ;;
    *) echo "there is no flavour $flavour" >&2; exit 2 ;;
  esac >> "board-$flavour/mpconfigboard.h"
  quietly "cmake-$flavour" cmake -S micropython/ports/rp2 -B "build-$flavour" \
    -DMICROPY_BOARD=RPI_PICO -DMICROPY_BOARD_DIR="$work/board-$flavour" \
    -DMICROPY_FROZEN_MANIFEST="$work/manifest.py" -Dpicotool_DIR="$work/picotool"
  quietly "make-$flavour" make -C "build-$flavour" -j"$jobs"
  cp "build-$flavour/firmware.uf2" "$out/$flavour.uf2.partial"
  mv "$out/$flavour.uf2.partial" "$out/$flavour.uf2"
done
rm -rf micropython packages board-* build-* # half a gigabyte
