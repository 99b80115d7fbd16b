"""Runs on the board: a link on UART 1 that echoes text, swallows binary messages, and sends as many as told to."""

from time import ticks_diff, ticks_ms

from machine import UART, Pin

from webrepl_link.link import CONTROL, TEXT, UP, Link

BYTE_US = 87  # 10 bits, rounded up: what is written must not pile up
AHEAD_US = 6000

uart = UART(1, 115200, tx=Pin(4), rx=Pin(5), rxbuf=1024, txbuf=512, timeout=0)
link = Link(ticks_ms(), 1)
message = bytes(range(250)) * 4
to_send_bytes = 0
now_ms = busy_us = 0  # the time; how long the line is busy with what has been written
ticks = ticks_ms()
unsent = b""
while True:
    passed_ms = ticks_diff(ticks_ms(), ticks)
    ticks += passed_ms
    now_ms += passed_ms
    busy_us = max(0, busy_us - passed_ms * 1000)
    count = uart.any()
    if count:
        link.receive_data(uart.read(count), now_ms)
    while True:
        event = link.next_event()
        if event is None:
            break
        kind, value = event
        if kind == TEXT:
            link.consumed(kind, len(value))
            link.send_text(value)
        elif kind == CONTROL:
            to_send_bytes = int(value)
        elif kind == UP:
            to_send_bytes = 0
        else:
            link.consumed(kind, len(value))
    if to_send_bytes and link.bulk.waiting_bytes < 300:
        link.send_binary(message)
        to_send_bytes -= min(to_send_bytes, len(message))
    if busy_us < AHEAD_US:
        data = unsent or link.data_to_send(now_ms)
        if data:
            written = uart.write(data) or 0
            unsent = data[written:]
            busy_us += written * BYTE_US
