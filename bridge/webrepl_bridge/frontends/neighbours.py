"""Other bridges on the network, and this one for them: multicast DNS, by zeroconf, an optional extra.

A bridge is a service `_webrepl._tcp` called "webrepl-bridge on HOST"; its TXT record has `path`, and `scheme` if that
is https.

Source: RFC 6762, 6763.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, NoReturn

from webrepl_link.errors import OpenError

from ..lab.plan import Door
from .server import parse_listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    from ..lab.plan import Listener

log = logging.getLogger(__name__)

SERVICE = "_webrepl._tcp.local."

ANSWER_TIMEOUT_MS = 3000
"""How long another bridge may take to say where it is."""

NEIGHBOURS_MAX = 200
"""More are not listed: anybody on the network can make some up."""


@dataclass(frozen=True)
class Neighbour:
    """Another bridge.

    Attributes:
        name: what it calls itself.
        url: where its page is.
    """

    name: str
    url: str


@dataclass(frozen=True)
class Place:
    """Where this bridge is found.

    Attributes:
        addresses: of the interfaces that it listens on.
        port: where its page is.
        https: whether that is served by HTTPS.
    """

    addresses: list[str]
    port: int
    https: bool = False


def place_of(listeners: Mapping[Listener, int], *, https: bool) -> Place | None:
    """Choose what to announce: the first address that others can reach; None if there is none.

    Args:
        listeners: where the bridge listens, with the ports.
        https: whether HTTPS is served there.
    """
    for listener, port in listeners.items():
        if listener.door is Door.WEBREPL and not listener.board:
            host = parse_listen(listener.address)[0]
            try:
                own = [] if ip_address(host).is_unspecified else [host]
            except ValueError:
                own = [] if host != "localhost" else ["127.0.0.1"]
            reachable = [address for address in own or _all_addresses() if not ip_address(address).is_loopback]
            if reachable:
                return Place(reachable, port, https)
    return None


def _all_addresses() -> list[str]:
    """Every address of this computer that means the same to all who read it."""
    import ifaddr

    texts = [str(ip.ip if ip.is_IPv4 else ip.ip[0]) for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [text for text in texts if not (ip_address(text).version == 6 and ip_address(text).is_link_local)]


class Neighbours:
    """Knows the other bridges.

    Args:
        interfaces: addresses of the interfaces to use; all if there are none.

    Attributes:
        found: the other bridges by their services' names.
    """

    def __init__(self, interfaces: Sequence[str] = ()) -> None:
        self.found: dict[str, Neighbour] = {}
        self._interfaces = list(interfaces)
        self._changes: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._own = ""

    def listed(self) -> list[Neighbour]:
        """The other bridges in the order of their names."""
        return sorted(self.found.values(), key=lambda neighbour: neighbour.name.lower())

    @asynccontextmanager
    async def run(self, place: Place | None) -> AsyncIterator[None]:
        """Look for other bridges until the block ends, and announce this one.

        Args:
            place: where this one is found; None to announce nothing.
        """
        from zeroconf import InterfaceChoice
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

        failure: Exception | None = None
        try:
            zeroconf = AsyncZeroconf(interfaces=self._interfaces or InterfaceChoice.All)
        except OSError as error:
            log.warning("other bridges are not looked for: %s", error.strerror or error)
            yield
            return
        own = _service(place) if place is not None else None
        try:
            if own is not None:
                await zeroconf.async_register_service(own, allow_name_change=True)
                self._own = own.name  # another one than asked for, if another bridge had that
            browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[self._note])
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(self._follow(zeroconf))
                try:
                    yield
                except Exception as error:
                    failure = error  # not as one of a group
                finally:
                    following.cancel()
            await browser.async_cancel()
            if own is not None:
                await (await zeroconf.async_unregister_service(own))
        finally:
            await zeroconf.async_close()
        if failure is not None:
            raise failure

    def _note(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        from zeroconf import ServiceStateChange

        self._changes.put_nowait((name, state_change is not ServiceStateChange.Removed))

    async def _follow(self, zeroconf: AsyncZeroconf) -> NoReturn:
        from zeroconf.asyncio import AsyncServiceInfo

        while True:
            name, is_there = await self._changes.get()
            if not is_there:
                self.found.pop(name, None)
            elif name != self._own and (name in self.found or len(self.found) < NEIGHBOURS_MAX):
                service = AsyncServiceInfo(SERVICE, name)
                try:
                    answered = await service.async_request(zeroconf.zeroconf, ANSWER_TIMEOUT_MS)
                    neighbour = _neighbour(service) if answered else None
                except Exception:  # whatever a stranger's packet makes of zeroconf
                    log.exception("%s was not understood", name)
                else:
                    if neighbour is not None:
                        self.found[name] = neighbour


def find_neighbours() -> Neighbours:
    """Make what knows the other bridges, if the optional extra is there.

    Raises:
        OpenError: it is not installed; one line that says what to do.
    """
    if find_spec("zeroconf") is None:
        raise OpenError("--mdns needs zeroconf: pip install 'webrepl-bridge[mdns]'")
    return Neighbours()


def _service(place: Place) -> AsyncServiceInfo:
    from zeroconf.asyncio import AsyncServiceInfo

    host = socket.gethostname().partition(".")[0] or "localhost"
    return AsyncServiceInfo(
        SERVICE,
        f"webrepl-bridge on {host}.{SERVICE}",
        port=place.port,
        properties={"path": "/", **({"scheme": "https"} if place.https else {})},
        server=f"{host}.local.",
        parsed_addresses=place.addresses,
    )


def _neighbour(service: AsyncServiceInfo) -> Neighbour | None:
    addresses = service.parsed_addresses()
    if not addresses or not service.port:
        return None
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    scheme = "https" if service.decoded_properties.get("scheme") == "https" else "http"
    return Neighbour(service.name.removesuffix("." + SERVICE), f"{scheme}://{host}:{service.port}/")
