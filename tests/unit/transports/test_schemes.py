"""Which transport opens which URL, and what is said when none can."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from stream_kit import in_loop
from webrepl_transports import AddressError, OpenError, OpenOptions, open_stream, schemes

Install = Callable[..., None]


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give a scheme to what `module:name` names, in a module that has the attributes given."""
    monkeypatch.setitem(sys.modules, "a_plug_in", module := ModuleType("a_plug_in"))

    def install(scheme: str, value: str, **attributes: object) -> None:
        vars(module).update(attributes)
        point = EntryPoint(scheme, value, schemes.GROUP)
        monkeypatch.setattr(schemes, "entry_points", lambda group: [point])

    return install


async def refusal(url: str) -> str:
    with pytest.raises(OpenError) as caught:
        await open_stream(url)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_knows_its_own_and_those_of_pyserial_and_of_plug_ins(plug_in: Install) -> None:
    plug_in("carrier-pigeon", "a_plug_in:fly")
    assert {"uart", "tcp", "socket", "loop", "spy", "hwgrep", "alt", "carrier-pigeon"} <= set(schemes.known_schemes())


@in_loop
async def test_an_unknown_scheme_is_answered_with_the_known_ones(plug_in: Install) -> None:
    plug_in("carrier-pigeon", "a_plug_in:fly")
    with pytest.raises(AddressError):
        await open_stream("hwgrp://pico")
    line = await refusal("hwgrp://pico")
    assert line.startswith("unknown scheme 'hwgrp' in 'hwgrp://pico': use a device such as /dev/ttyUSB0, or alt://")
    for known in ("carrier-pigeon://", "hwgrep://", "tcp://", "uart://"):
        assert known in line


@in_loop
async def test_a_plug_in_gets_the_url_as_it_was_written_and_the_options(plug_in: Install) -> None:
    asked: list[object] = []

    async def fly(url: str, options: OpenOptions) -> object:
        asked.extend((url, options))
        return "a stream"

    plug_in("carrier-pigeon", "a_plug_in:fly", fly=fly)
    assert await open_stream("  Carrier-Pigeon://Roof?wings=2\n", baud=300) == "a stream"  # type: ignore[comparison-overlap]
    assert asked == ["Carrier-Pigeon://Roof?wings=2", OpenOptions(baud=300)]


@in_loop
async def test_a_plug_in_cannot_take_one_of_ours_but_one_of_pyserials(plug_in: Install) -> None:
    async def fly(url: str, options: OpenOptions) -> None:
        raise OpenError("the pigeon is ill")

    plug_in("tcp", "a_plug_in:fly", fly=fly)
    assert "nothing listens" in await refusal("tcp://127.0.0.1:1")
    plug_in("loop", "a_plug_in:fly")
    assert await refusal("loop://") == "the pigeon is ill"


@in_loop
async def test_a_failure_of_the_system_becomes_one_line(plug_in: Install) -> None:
    async def fly(url: str, options: OpenOptions) -> None:
        raise PermissionError(13, "no fly zone")

    plug_in("carrier-pigeon", "a_plug_in:fly", fly=fly)
    assert await refusal("carrier-pigeon://roof") == "cannot open carrier-pigeon://roof: no fly zone"


@in_loop
async def test_a_missing_extra_is_named_whether_at_the_import_or_at_the_opening(plug_in: Install) -> None:
    async def fly(url: str, options: OpenOptions) -> None:
        import_module("no_such_feathers")

    says = "carrier-pigeon:// needs the Python package {}: pip install webrepl-bridge[pigeon]"
    plug_in("carrier-pigeon", "no_such_pigeon:fly [pigeon]")
    assert await refusal("carrier-pigeon://roof") == says.format("no_such_pigeon")
    plug_in("carrier-pigeon", "a_plug_in:fly [pigeon]", fly=fly)
    assert await refusal("carrier-pigeon://roof") == says.format("no_such_feathers")


@pytest.mark.parametrize("value", ["no_such_module:fly", "a_plug_in:walk"])
@in_loop
async def test_a_broken_plug_in_is_named(value: str, plug_in: Install) -> None:
    plug_in("carrier-pigeon", value)
    assert "carrier-pigeon://: webrepl-bridge is broken" in await refusal("carrier-pigeon://roof")
