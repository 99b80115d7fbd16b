"""pyftdi's own SPI controller on a chip that is not there, and a board that answers in blocks."""

from __future__ import annotations

import asyncio

import pytest

from ftdi_kit import Board, Ft232h, plugged_in
from stream_kit import in_loop
from webrepl_transports import AddressError, BrokenError, OpenError, open_stream


async def receive_exactly(stream: object, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive()  # type: ignore[attr-defined]
    return data


@in_loop
async def test_carries_bytes_both_ways_and_closes_the_chip() -> None:
    board = Board()
    chip = Ft232h(board)
    with plugged_in(chip):
        stream = await open_stream("spi+ftdi://")
        assert stream.description == "SPI on ftdi://ftdi:232h/1 at 1 MHz"
        assert stream.line_rate_baud == 1_162_109
        there, back = bytes(range(256)) * 20, bytes(range(255, -1, -1)) * 20
        board.blocks.send(back)
        await stream.send(there)
        assert await receive_exactly(stream, len(back)) == back
        assert board.received == there
        assert board.blocks.damaged_blocks == 0
        await stream.aclose()
        assert not chip.is_mpsse
        assert not chip.opened
        again = await open_stream("spi+ftdi://ftdi:232h:FTTEST/1?clock=6000000&block=128")
        assert again.description == "SPI on ftdi://ftdi:232h:FTTEST/1 at 6 MHz"
        await again.send(b"again")
        assert board.received == there + b"again"
        await again.aclose()


@in_loop
async def test_a_ready_line_saves_exchanges_and_is_asked_for_by_cs() -> None:
    board = Board()
    chip = Ft232h(board)
    with plugged_in(chip):
        stream = await open_stream("spi+ftdi://?ready=4&ask=1")
        await stream.send(b"asked")
        assert board.received == b"asked"
        exchanges = chip.cs_falls
        for _ in range(3):
            await asyncio.sleep(0.02)  # that nothing happens can only be seen by waiting
        assert chip.cs_falls == exchanges
        board.blocks.send(b"told")
        chip.pins = 1 << 4
        assert await stream.receive() == b"told"
        await stream.aclose()


@in_loop
async def test_a_chip_that_is_pulled_out_ends_the_stream() -> None:
    chip = Ft232h(Board())
    with plugged_in(chip):
        stream = await open_stream("spi+ftdi://")
        chip.is_pulled_out = True
        with pytest.raises(BrokenError, match=r"the exchange failed: .*disconnected"):
            await stream.receive()
        await stream.aclose()


@in_loop
async def test_a_board_with_blocks_of_another_size_is_told_of() -> None:
    with plugged_in(Ft232h(Board(64))):
        stream = await open_stream("spi+ftdi://")
        with pytest.raises(BrokenError, match="the board's blocks have 64 bytes, not 128: write block=64 in the addr"):
            await stream.receive()
        await stream.aclose()


@in_loop
async def test_what_cannot_be_opened_is_said_in_one_line() -> None:
    chip = Ft232h(Board())
    with plugged_in(chip):
        for url, line in (
            ("spi+ftdi://ftdi:232h:OTHER/1", "there is no ftdi://ftdi:232h:OTHER/1: plug the adapter in"),
            ("spi+ftdi://ftdi:232h/7", "cannot open ftdi://ftdi:232h/7: No such FTDI port"),
            ("spi+ftdi://?clock=99000000", "cannot open ftdi://ftdi:232h/1: Unsupported frequency"),
        ):
            await _refused(url, line)
        chip.is_claimed = True
        await _refused("spi+ftdi://", "in use: close the program")
        chip.may_open = False
        await _refused("spi+ftdi://", "no permission to use ftdi://ftdi:232h/1: add a udev rule")
        for url, line in (
            ("spi+ftdi://?cs=5", "cs=5 does not fit"),
            ("spi+ftdi://?ready=3", "ready=3 does not fit: 4 is the first free pin"),
            ("spi+ftdi://?cs=1&ready=4", "ready=4 does not fit"),
            ("spi+ftdi://?block=33", "block=33 does not fit"),
            ("spi+ftdi://?clock=0", "clock=0 does not fit"),
            ("spi+ftdi://?clock=fast", "clock=fast is no number"),
            (
                "spi+ftdi://?baud=9600",
                "unknown option 'baud' in an SPI address: there are clock, block, cs",
            ),
        ):
            with pytest.raises(AddressError):
                await open_stream(url)
            await _refused(url, line)


async def _refused(url: str, expected: str) -> None:
    with pytest.raises(OpenError) as caught:
        await open_stream(url)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
