"""The MicroPython programs that the bridge sends to a stock board. They run there, not here.

probe     what the firmware can do, and how much memory is free
put       receive a file in blocks, into a temporary file that takes the name when it is whole
inflate   what a put needs of it beside that, if it is deflated
get       send a file in blocks
put_files receive many small files at once
tree      what is in a directory, or what an entry is, with the CRC-32 of files
change    remove, rename, make a directory: what is one call
remove_deep, make_deep   the same for a directory with all that is in it, and with those above it
space     of a file system
crc32     what the last five need of it, where the firmware has none
shim_info what there is of the shim on the board, and the steps of putting it there and taking it off
put_text  the same two for firmware without binary stdin or CRC (micro:bit, CircuitPython):
get_text  small pieces that travel inside the code and the output
put_base64, get_base64   the same two in base64, for a terminal that carries text only
"""
