#!/usr/bin/env python3
"""Stands in for picotool in the Pico SDK's build, which uses it for `uf2 convert IN.elf OUT.uf2 ...` only."""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path

FLASH_START = 0x10000000
RP2040_FAMILY = 0xE48BFF56
PAGE_BYTES = 256


def to_uf2(image: bytes) -> bytes:
    """Return `image` as UF2 blocks of 512 bytes, see https://github.com/microsoft/uf2."""
    pages = [image[i : i + PAGE_BYTES].ljust(PAGE_BYTES, b"\0") for i in range(0, len(image), PAGE_BYTES)]
    blocks = []
    for number, page in enumerate(pages):
        address = FLASH_START + number * PAGE_BYTES
        flags = 0x2000  # a family is named
        head = (0x0A324655, 0x9E5D5157, flags, address, PAGE_BYTES, number, len(pages), RP2040_FAMILY)
        blocks.append(struct.pack("<8I476sI", *head, page, 0x0AB16F30))
    return b"".join(blocks)


def main(arguments: list[str]) -> None:
    """Do `uf2 convert`; answer anything else with success."""
    if arguments[:1] == ["version"]:
        print("picotool v2.1.1")
    elif arguments[:2] == ["uf2", "convert"]:
        elf = next(a for a in arguments if a.endswith(".elf"))
        uf2 = next(a for a in arguments if a.endswith(".uf2"))
        with tempfile.NamedTemporaryFile() as binary:
            subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, binary.name], check=True)
            Path(uf2).write_bytes(to_uf2(Path(binary.name).read_bytes()))


if __name__ == "__main__":
    main(sys.argv[1:])
