"""What `ByteStream` promises, for every kind of stream in stream_kit."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from stream_kit import KINDS, Kind, Peer, in_loop
from webrepl_transports import BrokenError, ByteStream, EndOfStreamError, Signals, TransportError

MEGABYTES = 10_000_000


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


async def receive_exactly(end: ByteStream | Peer, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += await end.receive()
    return bytes(data)


async def until_blocked(peer: Peer, sending: asyncio.Task[None]) -> bytes:
    """Read once from the peer, so that `sending`, of more than the wire holds, is in the middle of it."""
    first = await peer.receive()
    assert not sending.done()
    return first


@in_loop
async def test_keeps_the_order_of_many_bytes_in_both_directions_at_once(kind: Kind) -> None:
    there, back = some_bytes(MEGABYTES), some_bytes(MEGABYTES + 1)
    async with kind.join() as joined, asyncio.TaskGroup() as tasks:
        tasks.create_task(joined.stream.send(there))
        tasks.create_task(joined.peer.send(back))
        at_peer = tasks.create_task(receive_exactly(joined.peer, len(there)))
        at_stream = tasks.create_task(receive_exactly(joined.stream, len(back)))
        assert await at_peer == there
        assert await at_stream == back


@in_loop
async def test_hands_over_a_single_byte_at_once(kind: Kind) -> None:
    async with kind.join() as joined:
        for byte in (b"\x03", b"\x04", b"\x11", b"\x13", b"\r", b"\n", b"\xff", b"\x00"):
            await joined.stream.send(byte)
            assert await joined.peer.receive() == byte
            await joined.peer.send(byte)
            assert await joined.stream.receive() == byte


@in_loop
async def test_receives_no_more_than_asked_for(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.peer.send(b"abcdef")
        assert await joined.stream.receive(1) == b"a"
        rest = b""
        while len(rest) < 5:
            piece = await joined.stream.receive(2)
            assert 1 <= len(piece) <= 2
            rest += piece
        assert rest == b"bcdef"
        with pytest.raises(ValueError, match="at least 1"):
            await joined.stream.receive(0)


@in_loop
async def test_sends_nothing_for_nothing(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.stream.send(b"")
        await joined.stream.send(b"x")
        assert await joined.peer.receive() == b"x"


@in_loop
async def test_a_cancelled_receive_loses_nothing(kind: Kind) -> None:
    data = some_bytes(20_000)
    received = bytearray()
    async with kind.join() as joined:
        sending = asyncio.create_task(joined.peer.send(data))
        chance = random.Random(7)
        while len(received) < len(data):
            receiving = asyncio.create_task(joined.stream.receive(chance.randint(1, 700)))
            for _ in range(chance.randint(0, 3)):
                await asyncio.sleep(0)
            receiving.cancel()
            try:
                received += await receiving
            except asyncio.CancelledError:
                await asyncio.sleep(0)
        await sending
    assert received == data


@in_loop
async def test_a_send_cancelled_in_the_middle_is_not_torn(kind: Kind) -> None:
    data = some_bytes(kind.buffered_bytes)
    async with kind.join() as joined:
        sending = asyncio.create_task(joined.stream.send(data))
        first = await until_blocked(joined.peer, sending)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        following = asyncio.create_task(joined.stream.send(b"next"))
        rest = await receive_exactly(joined.peer, len(data) + 4 - len(first))
        await following
        assert first + rest == data + b"next"


@in_loop
async def test_a_send_cancelled_before_its_turn_sends_nothing(kind: Kind) -> None:
    data = some_bytes(kind.buffered_bytes)
    async with kind.join() as joined:
        first = asyncio.create_task(joined.stream.send(data))
        second = asyncio.create_task(joined.stream.send(b"never"))
        third = asyncio.create_task(joined.stream.send(b"then"))
        start = await until_blocked(joined.peer, first)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        rest = await receive_exactly(joined.peer, len(data) + 4 - len(start))
        await asyncio.gather(first, third)
        assert start + rest == data + b"then"


@in_loop
async def test_sends_of_several_tasks_are_not_mixed(kind: Kind) -> None:
    messages = [bytes([letter]) * 5000 for letter in b"abcdefgh"]
    async with kind.join() as joined, asyncio.TaskGroup() as tasks:
        for message in messages:
            tasks.create_task(joined.stream.send(message))
        assert await receive_exactly(joined.peer, 5000 * len(messages)) == b"".join(messages)


@in_loop
async def test_a_peer_that_does_not_read_stops_the_sender(kind: Kind) -> None:
    sent = 0
    async with kind.join() as joined:
        # That nothing more happens can only be seen by waiting for a while.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while sent < kind.buffered_bytes:
                    await joined.stream.send(bytes(4096))
                    sent += 4096
        assert 0 < sent < kind.buffered_bytes


@in_loop
async def test_a_stream_that_is_not_received_from_stops_the_peer_and_loses_nothing(kind: Kind) -> None:
    piece = some_bytes(4096)
    sent = 0
    async with kind.join() as joined:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                while sent < kind.buffered_bytes:
                    await joined.peer.send(piece)
                    sent += len(piece)
        assert 0 < sent < kind.buffered_bytes
        received = await receive_exactly(joined.stream, sent)
        assert received[:sent] == piece * (sent // len(piece))


@in_loop
async def test_what_came_before_the_end_is_received_and_then_the_end_again_and_again(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.peer.send(b"last words")
        data = await joined.stream.receive(4)
        joined.peer.vanish()
        while len(data) < 10:
            data += await joined.stream.receive(4)
        assert data == b"last words"
        errors = []
        for _ in range(3):
            with pytest.raises(kind.vanished) as caught:
                await joined.stream.receive()
            errors.append(str(caught.value))
            with pytest.raises(BrokenError):
                await joined.stream.send(b"x")
        assert len(set(errors)) == 1
        await joined.stream.aclose()
        with pytest.raises(kind.vanished):
            await joined.stream.receive()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].half_closes], indirect=True)
@in_loop
async def test_a_peer_that_ends_its_sending_still_gets_what_was_sent_before(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.stream.send(b"the last question")
        await joined.peer.send(b"the last answer")
        await joined.peer.end_sending()
        assert await receive_exactly(joined.stream, 15) == b"the last answer"
        with pytest.raises(EndOfStreamError):
            await joined.stream.receive()
        with pytest.raises(BrokenError):
            await joined.stream.send(b"x")
        assert await receive_exactly(joined.peer, 17) == b"the last question"


@in_loop
async def test_a_waiting_receive_is_told_that_the_peer_has_vanished(kind: Kind) -> None:
    async with kind.join() as joined:
        receiving = asyncio.create_task(joined.stream.receive())
        await asyncio.sleep(0)
        joined.peer.vanish()
        with pytest.raises(kind.vanished):
            await receiving


@in_loop
async def test_a_waiting_send_is_told_that_the_peer_has_vanished(kind: Kind) -> None:
    async with kind.join() as joined:
        sending = asyncio.create_task(joined.stream.send(bytes(kind.buffered_bytes)))
        await until_blocked(joined.peer, sending)
        joined.peer.vanish()
        with pytest.raises(BrokenError):
            await sending


@in_loop
async def test_closing_wakes_who_waits(kind: Kind) -> None:
    async with kind.join() as joined:
        receiving = asyncio.create_task(joined.stream.receive())
        sending = asyncio.create_task(joined.stream.send(bytes(kind.buffered_bytes)))
        queued = asyncio.create_task(joined.stream.send(b"after that"))
        await until_blocked(joined.peer, sending)
        await joined.stream.aclose()
        for task in (receiving, sending, queued):
            with pytest.raises(BrokenError, match="closed on this side"):
                await task


@in_loop
async def test_a_closed_stream_says_so_and_may_be_closed_again(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.peer.send(b"read and unread")
        assert await joined.stream.receive(1) == b"r"
        await asyncio.gather(*(joined.stream.aclose() for _ in range(3)))
        await joined.stream.aclose()
        with pytest.raises(BrokenError, match="closed on this side"):
            await joined.stream.receive()
        with pytest.raises(BrokenError, match="closed on this side"):
            await joined.stream.send(b"x")


@in_loop
async def test_a_cancelled_close_still_closes(kind: Kind) -> None:
    async with kind.join() as joined:
        closing = asyncio.create_task(joined.stream.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await joined.stream.aclose()
        again = await joined.open_again()
        await again.aclose()


@in_loop
async def test_what_was_sent_before_closing_arrives(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.stream.send(b"\x02goodbye")
        closing = asyncio.create_task(joined.stream.aclose())
        assert await receive_exactly(joined.peer, 8) == b"\x02goodbye"
        await closing


@in_loop
async def test_can_be_opened_again_and_leaves_nothing_behind(kind: Kind) -> None:
    async with kind.join() as joined:
        await joined.stream.aclose()
        again = await joined.open_again()
        await again.aclose()
        threads, descriptors = _threads(), _descriptors()
        for _ in range(20):
            again = await joined.open_again()
            await again.aclose()
        assert _threads() == threads
        assert _descriptors() == descriptors


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


@in_loop
async def test_can_be_opened_again_after_the_peer_has_vanished(kind: Kind) -> None:
    """On the same wire where it is still there; a wire that went with its peer is opened anew."""
    for _ in range(2):
        async with kind.join() as joined:
            joined.peer.vanish()
            with pytest.raises(kind.vanished) as caught:
                await joined.stream.receive()
            reason = str(caught.value)
            assert reason
            assert "\n" not in reason
            await joined.stream.aclose()
            with pytest.raises(kind.vanished, match=re.escape(reason)):
                await joined.stream.receive()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind].has_control], indirect=True)
@in_loop
async def test_control_lines_can_be_used_while_bytes_flow_and_not_after_the_end(kind: Kind) -> None:
    async with kind.join() as joined, asyncio.TaskGroup() as tasks:
        control = joined.stream.control
        assert control is not None
        at_peer = tasks.create_task(receive_exactly(joined.peer, 20))
        await joined.stream.send(b"0123456789")
        await control.set_lines(dtr=True, rts=False)
        await control.set_break(True)
        await control.set_break(False)
        await control.set_baud(57600)
        assert joined.stream.line_rate_baud == 57600
        assert isinstance(await control.signals(), Signals)
        await joined.stream.send(b"abcdefghij")
        assert await at_peer == b"0123456789abcdefghij"
        await joined.stream.aclose()
        with pytest.raises(BrokenError, match="closed on this side"):
            await control.set_lines(dtr=True)
        with pytest.raises(BrokenError, match="closed on this side"):
            await control.set_baud(9600)


@in_loop
async def test_describes_itself(kind: Kind) -> None:
    async with kind.join() as joined:
        assert joined.stream.description
        assert joined.stream.line_rate_baud is None or joined.stream.line_rate_baud > 0
        assert isinstance(joined.stream.reliable, bool)
        assert issubclass(kind.vanished, TransportError)
