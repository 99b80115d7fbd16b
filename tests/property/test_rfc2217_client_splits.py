"""However a server's bytes are cut, they mean the same; none make the core raise, and all data arrives."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webrepl_transports._rfc2217 import Rfc2217Client

SPECIAL = st.sampled_from([0xFF, 0xFA, 0xF0, 0xFB, 0xFC, 0xFD, 0xFE, 0x2C, 0x00, 0x6B])
WIRE = st.lists(st.one_of(SPECIAL, st.integers(0, 255)), max_size=200).map(bytes)


def observed(client: Rfc2217Client) -> tuple[object, ...]:
    answers = []
    while answer := client.next_answer():
        answers.append(answer)
    return client.data_to_send(), client.agreed, client.modem_state, client.suspended, answers


@given(wire=WIRE, cuts=st.lists(st.integers(0, 200)))
def test_cuts_mean_nothing(wire: bytes, cuts: list[int]) -> None:
    at_once, in_pieces = Rfc2217Client(), Rfc2217Client()
    expected = at_once.receive_data(wire)
    edges = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    assert b"".join(in_pieces.receive_data(wire[a:b]) for a, b in pairwise(edges)) == expected
    assert observed(in_pieces) == observed(at_once)


@given(data=st.binary())
def test_what_one_side_sends_the_other_receives(data: bytes) -> None:
    sender, receiver = Rfc2217Client(), Rfc2217Client()
    for client in (sender, receiver):
        client.data_to_send()
        client.receive_data(b"\xff\xfd\x2c")
    sender.send_data(data)
    assert receiver.receive_data(sender.data_to_send()) == data
