"""Numbers that a program prints, drawn."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from page.conftest import Browse, OnPage, shows


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
            assert (await saved(page, "PNG")).startswith(b"\x89PNG")
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
