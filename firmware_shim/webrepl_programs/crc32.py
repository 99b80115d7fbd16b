# For the programs below where the firmware may have no CRC-32 of its own.
try:
    from binascii import crc32 as _crc32
except ImportError:

    def _crc32(data, check=0):
        check ^= 0xFFFFFFFF
        for c in bytes(data, "utf-8") if isinstance(data, str) else data:
            check ^= c
            for bit in range(8):  # noqa: B007
                check = check >> 1 ^ (0xEDB88320 if check & 1 else 0)
        return check ^ 0xFFFFFFFF
