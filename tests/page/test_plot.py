"""Numbers that a program prints, drawn."""

from __future__ import annotations

import asyncio
import base64

from playwright.async_api import Page, expect

from page.conftest import Browse, OnPage, shows

CORNER = """
async (picture) => {
  const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (one) => one.charCodeAt(0))]));
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, 1, 1).data[3];
}
"""
"""How opaque the corner of a picture is."""


async def saved(page: Page, button: str) -> bytes:
    async with page.expect_download() as download:
        await page.locator(".plot").get_by_role("button", name=button).click()
    file = await (await download.value).path()
    return await asyncio.to_thread(file.read_bytes)


def test_ten_thousand_points_are_drawn_and_saved(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.keyboard.type("'not a number'\n")
            await page.get_by_role("button", name="Plot").click()
            chart = page.locator(".plot .chart")
            await expect(page.get_by_text("Numbers that the program prints")).to_be_visible()
            await page.locator(".console .screen").click()
            await page.keyboard.type("for i in range(10_000): print('up:%d down=%d' % (i, -i))\n\n\n")
            await expect(chart).to_have_attribute("data-points", "10000")
            await expect(chart.locator(".u-legend")).to_contain_text("down")
            rows = (await saved(page, "CSV")).decode().splitlines()
            assert rows[0] == "seconds,up,down"
            assert [row.partition(",")[2] for row in rows[1:]] == [f"{i},{-i}" for i in range(10_000)]
            picture = await saved(page, "PNG")
            assert picture.startswith(b"\x89PNG")
            assert await page.evaluate(CORNER, base64.b64encode(picture).decode()) == 255  # the background is in it
            await page.locator(".plot").get_by_role("button", name="Clear").click()
            await page.locator(".console .screen").click()
            await page.keyboard.type("print(1.5, -2e3)\n")
            await expect(chart).to_have_attribute("data-points", "1")
            await page.locator(".plot").get_by_role("button", name="Pause").click()
            await page.locator(".console .screen").click()
            await page.keyboard.type("print((3, 4)); print('done')\n")
            await shows(page, "done")
            await expect(chart).to_have_attribute("data-points", "1")
            await page.locator(".plot").get_by_role("button", name="Pause").click()
            await expect(chart).to_have_attribute("data-points", "2")
            await page.locator(".plot").get_by_role("button", name="Close").click()
            await expect(chart).to_be_hidden()

    browse(test)


def test_zoomed_by_keyboard(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.get_by_role("button", name="Plot").click()
            await page.locator(".console .screen").click()
            await page.keyboard.type("for i in range(101): print('up:%d' % i)\n\n\n")
            chart = page.locator(".plot .chart")
            await expect(chart).to_have_attribute("data-points", "101")
            await expect(chart).to_have_attribute("aria-label", "Plot of up, lines 0 to 100")
            for button, lines in [
                ("Zoom in", "25 to 75"),
                ("Later", "50 to 100"),
                ("Later", "50 to 100"),
                ("Earlier", "25 to 75"),
                ("Zoom in", "38 to 63"),
                ("Zoom out", "25 to 75"),
                ("Zoom out", "0 to 100"),
            ]:
                await page.locator(".plot").get_by_role("button", name=button).press("Enter")
                await expect(chart).to_have_attribute("aria-label", f"Plot of up, lines {lines}")
            await expect(page.locator(".plot").get_by_role("button", name="Pause")).to_have_attribute(
                "aria-pressed", "true"
            )

    browse(test)


def test_a_program_that_names_too_many_lines(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.get_by_role("button", name="Plot").click()
            await page.locator(".console .screen").click()
            await page.keyboard.type("for i in range(200): print('name%d:%d' % (i, i))\n\n\n")
            chart = page.locator(".plot .chart")
            await expect(chart).to_have_attribute("data-points", "200")
            await expect(chart.locator(".u-legend .u-series")).to_have_count(1 + 30)

    browse(test)
