"""What the page does for those whose password does not reach."""

from __future__ import annotations

from dataclasses import replace

from playwright.async_api import Browser, Route, expect

from board_kit.unix_vm import UnixVM
from lab_kit import ANYWHERE, PASSWORD, bridging
from page.conftest import Browse, InThread, OnPage, state, terminal
from page.files_kit import agree, note
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan


def test_control_with_a_wrong_password(browse: Browse) -> None:
    async def spoil(route: Route) -> None:
        await route.continue_(headers=route.request.headers | {"authorization": "Bearer wrong"})

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.route("**/hard-reset", spoil)
            await page.get_by_role("button", name="Hard reset").click()
            await agree(page, "Hard reset")
            await note(page, "unix: wrong password")
            await expect(terminal(page)).not_to_contain_text("hard-reset")
            assert len(on.complaints) == 1
            assert "401" in on.complaints.pop()

    browse(test)


def test_who_may_only_watch(browser_thread: InThread, unix_vm: UnixVM) -> None:
    async def test(browser: Browser) -> None:
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD)
        async with bridging(replace(plan, watch_password="looking")) as bridge:
            on = OnPage(browser, "127.0.0.1", bridge.port)
            async with on.window(log_in=False) as page:
                await page.get_by_label("Password").fill("looking")
                await page.keyboard.press("Enter")
                await expect(state(page)).to_have_text("connected")
                await note(page, "Files: it is not permitted")
                await page.get_by_role("button", name="Hard reset").click()
                await agree(page, "Hard reset")
                await note(page, "lab1: who may only watch may not do this")
            assert all("403" in complaint for complaint in on.complaints)

    browser_thread(test)
