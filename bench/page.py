"""How quick the page is, in headless Chromium: until it is there, from a key to its glyph, and under much output.

There is no graphics card here, so that the terminal draws with elements, which an observer can see.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, Page, async_playwright

from board_kit.firmware import command
from board_kit.unix_vm import unix_vm
from page.conftest import CHROMIUM_OPTIONS

from .boards_and_bridges import PASSWORD, bridge_on

KEYS = 100
OUTPUT_BYTES = 5_000_000
LINE = "x" * 78

TIME_LOADING = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("dialog[open] input[type=password]")) return;
  observer.disconnect();
  requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message comes after the frame that is being made
    channel.port1.onmessage = () => (window.ready_ms = performance.now());
    channel.port2.postMessage("");
  });
}).observe(document, { subtree: true, childList: true, attributes: true });
"""

TIME_KEYS = """
() => {
  window.echoes_ms = [];
  let pressed_ms;
  addEventListener("keydown", (event) => (pressed_ms = event.timeStamp), { capture: true });
  new MutationObserver(() => {
    if (pressed_ms === undefined) return;
    const since_ms = pressed_ms;
    pressed_ms = undefined;
    const channel = new MessageChannel(); // its message comes after the frame that is being made
    channel.port1.onmessage = () => echoes_ms.push(performance.now() - since_ms);
    channel.port2.postMessage("");
  }).observe(document.querySelector(".xterm-rows"), { subtree: true, childList: true, characterData: true });
}
"""

WATCH_FRAMES = """
() => {
  window.longest_ms = 0;
  let last_ms = performance.now();
  const frame = (now_ms) => {
    longest_ms = Math.max(longest_ms, now_ms - last_ms);
    last_ms = now_ms;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
"""


def main(rounds: int) -> None:
    """Print the figures."""
    print("The page, headless Chromium, unix VM, loopback")
    with tempfile.TemporaryDirectory() as folder, unix_vm(Path(folder)) as vm, bridge_on(vm.device) as bridge:
        figures = [asyncio.run(_measure(f"http://127.0.0.1:{bridge.port}/")) for _ in range(rounds)]
    for name, unit in (("ready", "ms"), ("key to glyph", "ms"), ("longest frame, 5 MB", "ms"), ("5 MB shown in", "s")):
        print(f"  {name:24} {median(figure[name] for figure in figures):8.1f} {unit}")


async def _measure(url: str) -> dict[str, float]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=command("chromium"), args=CHROMIUM_OPTIONS)
        async with browser:
            return {
                "ready": await _ready_ms(browser, url),
                "key to glyph": await _key_to_glyph_ms(browser, url),
                **await _much_output(browser, url),
            }


async def _ready_ms(browser: Browser, url: str) -> float:
    """From the navigation to the question for the password: code loaded, connected, drawn."""
    page = await browser.new_page(bypass_csp=True)  # the waiting below evaluates text
    await page.add_init_script(TIME_LOADING)
    await page.goto(url)
    await page.wait_for_function("window.ready_ms")
    ready_ms: float = await page.evaluate("ready_ms")
    await page.close()
    return ready_ms


async def _log_in(page: Page, url: str) -> None:
    await page.goto(url)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.get_by_text("connected", exact=True).wait_for()
    await page.locator(".xterm-rows").get_by_text(">>>").last.wait_for()


async def _key_to_glyph_ms(browser: Browser, url: str) -> float:
    page = await browser.new_page(bypass_csp=True)  # the waiting below evaluates text
    await _log_in(page, url)
    await page.keyboard.type("\n#")
    await page.evaluate(TIME_KEYS)
    for number in range(1, KEYS + 1):
        await page.keyboard.press("x")
        await page.wait_for_function(f"echoes_ms.length === {number}")
        await asyncio.sleep(random.uniform(0.03, 0.06))  # people do not type in step with the frames
    echoes_ms: list[float] = await page.evaluate("echoes_ms")
    await page.keyboard.press("Control+c")
    await page.close()
    return median(echoes_ms)


async def _much_output(browser: Browser, url: str) -> dict[str, float]:
    page = await browser.new_page()
    await _log_in(page, url)
    await page.evaluate(WATCH_FRAMES)
    started_ms = await page.evaluate("performance.now()")
    lines = OUTPUT_BYTES // (len(LINE) + 2)
    await page.get_by_role("button", name="Plot", exact=True).click()  # counts the line that ends it
    await page.locator(".console .screen").click()
    await page.keyboard.type(f"for i in range({lines}): print('{LINE}')\n\n\nprint(1)\n")
    await page.locator(".chart[data-points='1']").wait_for(timeout=120_000)
    shown_s = (await page.evaluate("performance.now()") - started_ms) / 1000
    longest_ms: float = await page.evaluate("longest_ms")
    await page.close()
    return {"longest frame, 5 MB": longest_ms, "5 MB shown in": shown_s}
