"""Pages that are not the bridge's own: of the official page's dialect, from disk and from elsewhere; HTTP and HTTPS."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from board_kit.unix_vm import UnixVM
from clients.conftest import Bridge
from lab_kit import ANYWHERE, PASSWORD, bridging
from page.conftest import BY_NAME, InThread, OnPage, select_word, shows
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.certificates import keep_self_signed
from webrepl_bridge.lab.plan import LabPlan

DIALECT = Path(__file__).with_name("webrepl_dialect.html")
CONTENT = "print('grün')\n" * 300


async def open_from_elsewhere(page: Page, url: str) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(path=DIALECT)

    await page.route(f"{url}**", answer)
    await page.goto(url)


@pytest.mark.parametrize("url", [DIALECT.as_uri(), "http://micropython.org/webrepl/"])
def test_the_official_dialect(browser_thread: InThread, bridge: Bridge, url: str) -> None:
    async def test(browser: Browser) -> None:
        async with await browser.new_context() as context:
            page = await context.new_page()
            if url.startswith("file:"):
                await page.goto(url)
            else:
                await open_from_elsewhere(page, url)
            terminal, status = page.locator("#terminal"), page.locator("#status")
            await page.locator("#url").fill(bridge.url)
            await page.get_by_role("button", name="Connect").click()
            await expect(terminal).to_have_text("Password: ")
            await terminal.focus()
            await page.keyboard.type(f"{PASSWORD}\n")
            await expect(terminal).to_contain_text("WebREPL connected")
            await page.keyboard.type("print(6 * 7, '!')\n")
            await expect(terminal).to_contain_text("42 !")
            await terminal.evaluate(
                "(terminal, text) => { const data = new DataTransfer(); data.setData('text/plain', text);"
                "terminal.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data })) }",
                "for i in range(3): print(i * 'ab')\n\n",
            )
            await expect(terminal).to_contain_text("abab")
            await page.locator("#name").fill("main.txt")
            await page.locator("#data").fill(CONTENT)
            await page.get_by_role("button", name="Put").click()
            await expect(status).to_have_text("sent")
            assert (bridge.folder / "main.txt").read_text("utf-8") == CONTENT
            await page.get_by_role("button", name="Get").click()
            await expect(status).to_have_text(f"got {CONTENT}")
            await page.get_by_role("button", name="Version").click()
            await expect(status).to_have_text("version of 3 bytes")

    browser_thread(test)


def test_a_page_from_elsewhere_gets_nothing(browser_thread: InThread, bridge: Bridge) -> None:
    async def test(browser: Browser) -> None:
        async with await browser.new_context() as context:
            page = await context.new_page()
            await open_from_elsewhere(page, "http://example.com/")
            await page.locator("#url").fill(bridge.url)
            await page.get_by_role("button", name="Connect").click()
            await expect(page.locator("#terminal")).to_have_text("Disconnected")

    browser_thread(test)


def test_https_with_a_certificate_of_our_own(browser_thread: InThread, unix_vm: UnixVM, tmp_path: Path) -> None:
    async def test(browser: Browser) -> None:
        certificate = keep_self_signed(tmp_path / "tls")
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD, certificate=certificate)
        async with bridging(plan) as bridge:
            on = OnPage(browser, "127.0.0.1", bridge.port, scheme="https")
            async with on.window(ignore_https_errors=True) as page:
                await page.keyboard.type("print('over ' + 'TLS')\n")
                await shows(page, "over TLS")
            assert on.complaints == []

    browser_thread(test)


def test_plain_http_from_another_computer_where_pages_have_no_clipboard(
    browser_thread: InThread, unix_vm: UnixVM
) -> None:
    async def test(browser: Browser) -> None:
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD)
        async with bridging(plan) as bridge:
            on = OnPage(browser, BY_NAME, bridge.port)
            async with on.window() as page:
                assert not await page.evaluate("isSecureContext")
                await select_word(page)
                await page.keyboard.press("Control+c")
                await expect(page.get_by_text("Copied.")).to_be_visible()
                await page.keyboard.type("'")
                await page.keyboard.press("Control+v")
                await page.keyboard.type("' * 2\n")
                await shows(page, "'copiedcopied'")
            assert on.complaints == []

    browser_thread(test)
