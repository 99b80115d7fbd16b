"""One running bridge: a lab and its frontends; from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING

from webrepl_link.errors import AddressError, OpenError, WebReplError

from .frontends.app import create_app
from .frontends.dial_in import DialIn
from .frontends.guard import Guard
from .frontends.listening import Listening
from .frontends.neighbours import find_neighbours, place_of
from .frontends.passwords import PasswordGate
from .lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .lab.plan import LabPlan, Listener

log = logging.getLogger(__name__)


async def run_bridge(
    plan: LabPlan,
    *,
    ready: Callable[[Lab, Mapping[Listener, int]], None],
    stop: asyncio.Event | None = None,
    reload: Callable[[], LabPlan] | None = None,
) -> None:
    """Bridge the boards of `plan` until asked to stop.

    Args:
        plan: what to bridge.
        ready: called once clients can connect, with the lab and the port of each address.
        stop: set it to stop; without one SIGINT and SIGTERM do.
        reload: reads the plan anew; called on SIGHUP, where the system has it.

    Raises:
        OpenError: a board or an address could not be opened at the start; one line that says what to do.
    """
    gate = PasswordGate(plan.password, plan.watch_password)
    lab = Lab()
    token_gate = PasswordGate(plan.board_token)
    dial_in = DialIn(lab, token_gate, plan.accept_boards) if plan.accept_boards else None
    neighbours = find_neighbours() if plan.mdns else None
    listening = Listening(
        lambda board: Guard(
            create_app(lab, gate, board=board, dial_in=dial_in, neighbours=neighbours), plan.allow_origins
        ),
        lab.find,
        plan.certificate,
    )
    hang_up = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        if stop is None:
            stop = asyncio.Event()
            stack.enter_context(_on_signals({signal.SIGINT: stop, signal.SIGTERM: stop}))
        if reload is not None and hasattr(signal, "SIGHUP"):
            stack.enter_context(_on_signals({signal.SIGHUP: hang_up}))
        await stack.enter_async_context(lab.run())
        await stack.enter_async_context(listening.run())
        await listening.change(plan.listeners())
        await lab.apply(plan)
        for name, keeper in list(lab.keepers.items()):
            if await _first(stop, keeper.tried):
                return
            if isinstance(keeper.failure, AddressError):
                raise keeper.failure
            if keeper.failure is not None and name in plan.required:
                raise OpenError(f"{keeper.failure} (or wait for it with --wait)")
        if neighbours is not None:
            place = place_of(listening.ports, https=plan.certificate is not None)
            await stack.enter_async_context(neighbours.run(place))
        ready(lab, listening.ports)
        while not await _first(stop, hang_up):
            assert reload is not None
            hang_up.clear()
            try:
                plan = reload()
                await listening.change(plan.listeners())
                await lab.apply(plan)
                gate.change(plan.password, plan.watch_password)
                token_gate.change(plan.board_token)
                log.info("the configuration has been read anew")
            except WebReplError as error:
                log.error("the configuration could not be applied: %s", error)


async def _first(stop: asyncio.Event, other: asyncio.Event) -> bool:
    """Wait for one of two events; return whether it is `stop`."""
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(event.wait()) for event in (stop, other)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
    return stop.is_set()


@contextlib.contextmanager
def _on_signals(events: Mapping[signal.Signals, asyncio.Event]) -> Iterator[None]:
    """Set the events when signals come, inside the block; not by the loop, which has no handlers on Windows."""
    loop = asyncio.get_running_loop()
    before = {
        number: signal.signal(number, lambda *_, event=event: loop.call_soon_threadsafe(event.set))
        for number, event in events.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
