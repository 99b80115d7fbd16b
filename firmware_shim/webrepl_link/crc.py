"""CRC-32 for firmware whose binascii has none; nothing imports this file where it has one."""

_TABLE = []
for _byte in range(16):
    for _ in range(4):
        _byte = (_byte >> 1) ^ (0xEDB88320 if _byte & 1 else 0)
    _TABLE.append(_byte)


def crc32(data, value=0):
    """Return the CRC-32 of data, as binascii.crc32 does, starting from that of what came before it."""
    value ^= 0xFFFFFFFF
    for byte in data:
        value ^= byte
        value = (value >> 4) ^ _TABLE[value & 15]
        value = (value >> 4) ^ _TABLE[value & 15]
    return value ^ 0xFFFFFFFF
