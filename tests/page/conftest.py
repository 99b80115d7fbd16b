"""A real browser on the page: Debian's Chromium, driven by Playwright, in a thread of its own.

Each window is a fresh browser profile. Whatever the browser complains about fails the test: an error in the console,
something that the content security policy forbids, a request to another host.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, async_playwright, expect

from board_kit.cable import Cable
from board_kit.firmware import MissingError, command, node_modules
from board_kit.unix_vm import UnixVM
from clients.conftest import PASSWORD, PORT, Bridge, first_prompt, in_thread
from lab_kit import ANYWHERE, bridging
from page.files_kit import CODE, write
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.frontends.page import FILES
from webrepl_bridge.lab.plan import LabPlan

BY_NAME = "bench.local"
"""The browser takes this for 127.0.0.1, and trusts it less: like another computer, over plain HTTP."""

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Chrome asks people whether a page of the internet may reach the bridge; here they have said yes.
    "--disable-features=HttpsUpgrades,LocalNetworkAccessChecks",
    f"--host-resolver-rules=MAP {BY_NAME} 127.0.0.1",
]

PATIENCE_MS = 30_000
"""How long the browser may take for one step; a loaded machine takes a while."""

BrowserTest = Callable[["OnPage"], Coroutine[Any, Any, None]]
Browse = Callable[[BrowserTest], None]
InThread = Callable[[Callable[[Browser], Coroutine[Any, Any, None]]], None]


class OnPage:
    """What a test gets: a bridge, and windows of a browser on its page."""

    def __init__(
        self, browser: Browser, host: str, port: int, folder: Path | None = None, *, scheme: str = "http"
    ) -> None:
        self.host = host
        self.url = f"{scheme}://{host}:{port}/"
        self.folder = folder
        self.complaints: list[str] = []
        self._browser = browser

    @asynccontextmanager
    async def window(
        self, width: int = 1200, height: int = 800, *, log_in: bool = True, **options: Any
    ) -> AsyncIterator[Page]:
        """Open the page, and log in; what its terminal shows can be read with `terminal`."""
        context = await self._browser.new_context(viewport={"width": width, "height": height}, **options)
        async with context:
            context.set_default_timeout(PATIENCE_MS)
            await context.add_init_script("localStorage.setItem('screenReader', 'yes')")
            page = await context.new_page()
            page.on("console", self._note_console)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("request", self._note_request)
            await page.goto(self.url)
            if log_in:
                await self.log_in(page)
            yield page

    async def log_in(self, page: Page) -> None:
        """Give the password, and wait until the terminal is there."""
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(state(page)).to_have_text("connected")

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in (self.host, None):  # blob: and data: have no host
            self.complaints.append(f"asked another host: {request.url}")


@asynccontextmanager
async def on_cable(browser: Browser, folder: Path) -> AsyncIterator[tuple[Page, Cable]]:
    """Log in to a board that has a main.py, and that can be unplugged; the page complains of nothing."""
    async with Cable(folder) as cable:
        await write(cable.files / "main.py", "print('main')\n")
        await cable.plug_in()
        boards = {"lab1": BoardOptions(str(cable.device))}
        async with bridging(LabPlan(boards, (ANYWHERE,), PASSWORD)) as bridge:
            on = OnPage(browser, "127.0.0.1", bridge.port)
            async with on.window() as page:
                yield page, cable
            assert on.complaints == []


def state(page: Page) -> Locator:
    """Where the page says how the connection is."""
    return page.locator("header .state")


def terminal(page: Page) -> Locator:
    """What the terminal shows, as a screen reader finds it."""
    return page.locator(".xterm-accessibility")


async def shows(page: Page, text: str) -> None:
    """Wait until the terminal shows `text`."""
    await expect(terminal(page)).to_contain_text(text)


async def ends_in(page: Page, pattern: str) -> None:
    """Wait until what is on the screen ends so. Not what a screen reader finds: that is late when much is printed."""
    await expect(page.locator(".xterm-rows")).to_have_text(re.compile(rf"{pattern}\s*$"))


async def at_prompt(page: Page) -> None:
    """Wait until the terminal ends in a prompt with nothing typed at it."""
    await ends_in(page, ">>>")


async def select_word(page: Page) -> None:
    """Have the board print `copied`, and select it."""
    await page.keyboard.type("print('co' + 'pied')\n")
    box = await terminal(page).get_by_text("copied", exact=True).bounding_box()
    assert box is not None
    await page.mouse.dblclick(box["x"] + 10, box["y"] + box["height"] / 2)


async def run_endlessly(page: Page) -> None:
    """Run a program that does not end; when this returns, it runs."""
    await page.keyboard.type("exec(\"print('run' + 'ning')\\nwhile True: pass\")\n")
    await shows(page, "running")


@pytest.fixture(scope="package")
def browser_thread() -> Iterator[InThread]:
    """A browser, in a thread because Playwright needs an event loop all the time; returns what runs a test there."""
    executable = command("chromium")
    if not (FILES / "index.html").is_file():
        raise MissingError("the page is not built; `make page` builds it")
    expect.set_options(timeout=PATIENCE_MS)
    started: Future[tuple[Browser, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def browse() -> None:
        stop = asyncio.Event()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=CHROMIUM_OPTIONS)
            started.set_result((browser, asyncio.get_running_loop(), stop))
            await stop.wait()
            await browser.close()

    def run() -> None:
        try:
            asyncio.run(browse())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="browser")
    thread.start()
    try:
        browser, loop, stop = started.result()
        yield lambda test: asyncio.run_coroutine_threadsafe(test(browser), loop).result()
        loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


@pytest.fixture
def bridge(unix_vm: UnixVM) -> Iterator[Bridge]:
    """A bridge in a thread of its own, in front of a MicroPython of its own."""
    with in_thread(unix_vm.device) as host:
        asyncio.run(first_prompt(host))
        yield Bridge(host, PORT, PASSWORD, unix_vm.folder)


@pytest.fixture
def folder(bridge: Bridge) -> Path:
    """The board's files, with some in it."""
    assert bridge.folder is not None
    (bridge.folder / "lib").mkdir()
    (bridge.folder / "lib" / "greet.py").write_text(CODE)
    (bridge.folder / "main.py").write_text("print('main')\n")
    (bridge.folder / "data.bin").write_bytes(bytes(range(256)))
    return bridge.folder


@pytest.fixture
def browse(browser_thread: InThread, bridge: Bridge) -> Browse:
    """Runs a test with a browser on the page of a bridge of its own; nothing may complain meanwhile."""

    def run(test: BrowserTest) -> None:
        async def complete(browser: Browser) -> None:
            on_page = OnPage(browser, bridge.host, bridge.port, bridge.folder)
            await test(on_page)
            assert on_page.complaints == []

        browser_thread(complete)

    return run


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The folder with the built page."""
    if not (FILES / "index.html").is_file():
        raise MissingError("the page is not built; `make page` builds it")
    return FILES


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds what hinders people; npm: axe-core."""
    return (node_modules() / "axe-core" / "axe.min.js").read_text("utf-8")
