"""Real MicroPython without hardware, for the tests and the benchmarks.

unix_vm   MicroPython's unix port on a pty: starts at once, loses nothing
pico      Raspberry Pi Pico firmware on an emulated chip (pico.mjs): UARTs that overrun, flash that stalls, dupterm
microbit  a very old MicroPython, 1.9.2, on QEMU's micro:bit
repl      the few REPL moves that the fixtures and the smoke tests need, over plain pySerial
firmware  where the firmware images and the emulator's parts are; prepare.sh puts them there
"""
