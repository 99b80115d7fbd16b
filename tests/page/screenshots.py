"""Takes the pictures in docs/page anew: `make screenshots`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.async_api import Browser, Page, async_playwright, expect

from board_kit.firmware import command
from lab_kit import ANYWHERE, PASSWORD, bridging
from page.conftest import CHROMIUM_OPTIONS, OnPage, shows
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.demo import vm_on_pty
from webrepl_bridge.lab.plan import LabPlan

PICTURES = Path(__file__).parents[2] / "docs" / "page"

FILES = {
    "main.py": '''import math
import time


class Sensor:
    """Stands in for a thermometer."""

    def read(self, at):
        return 21 + 2 * math.sin(at / 20)  # degrees


def run(seconds=10):
    sensor = Sensor()
    for at in range(seconds * 40):
        print("temperature:%.2f target:21" % sensor.read(at))
        time.sleep_ms(5)
''',
    "boot.py": "# runs at every start\n",
    "lib/display.py": "# 128 x 64 dots\n" * 40,
    "data.csv": "time,temperature\n" * 900,
}


async def take(browser: Browser, folder: Path, other_folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    async with vm_on_pty(folder) as one, vm_on_pty(other_folder) as other:
        boards = {"greenhouse": BoardOptions(one), "robot": BoardOptions(other), "spare": BoardOptions("/dev/ttyACM9")}
        async with bridging(LabPlan(boards, (ANYWHERE,), PASSWORD)) as bridge:
            on = OnPage(browser, "127.0.0.1", bridge.port)
            async with on.window(1200, 780, color_scheme="light") as page:
                await _work(page)
                await page.screenshot(path=PICTURES / "wide.png")
            async with on.window(1200, 780, color_scheme="dark") as page:
                await _work(page)
                await page.get_by_label("Close main.py").click()
                await page.get_by_role("button", name="Plot").click()
                await page.locator(".console .screen").click()
                await page.keyboard.type("run(5)\n")
                await expect(page.locator(".chart")).to_have_attribute("data-points", "200")
                await page.screenshot(path=PICTURES / "plot.png")
            async with on.window(360, 640, color_scheme="light") as page:
                await page.locator(".views").get_by_role("button", name="Files").click()
                await page.locator('.item[data-path="/lib"]').click()
                await expect(page.locator('.item[data-path="/lib/display.py"]')).to_be_visible()
                await page.screenshot(path=PICTURES / "phone.png")


async def _work(page: Page) -> None:
    await page.get_by_role("button", name="Clear").click()
    await page.locator('.item[data-path="/main.py"]').click()
    await page.get_by_role("button", name="Run", exact=True).click()
    await shows(page, ">>> exec(")
    await page.keyboard.type("Sensor().read(10)\n")
    await shows(page, "21.95")


async def main() -> None:
    """Take them all."""
    PICTURES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=command("chromium"), args=CHROMIUM_OPTIONS)
        async with browser:
            with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
                await take(browser, Path(folder), Path(other))


asyncio.run(main())
