"""Several boards on the page, and a cable that is pulled."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from board_kit.cable import Cable
from board_kit.unix_vm import UnixVM
from lab_kit import ANYWHERE, PASSWORD, bridging
from page.conftest import Browse, InThread, OnPage, shows, state, terminal
from webrepl_bridge import serve
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.demo import vm_on_pty
from webrepl_bridge.frontends.neighbours import Neighbours, Place
from webrepl_bridge.lab.plan import LabPlan


def test_switching_keeps_each_terminal(browser_thread: InThread, tmp_path: Path) -> None:
    async def test(browser: Browser) -> None:
        folders = [tmp_path / "a", tmp_path / "b"]
        for folder in folders:
            folder.mkdir()
        async with vm_on_pty(folders[0]) as one, vm_on_pty(folders[1]) as other:
            boards = {"lab1": BoardOptions(one), "lab 2": BoardOptions(other)}
            async with bridging(LabPlan(boards, (ANYWHERE,), PASSWORD)) as bridge:
                on = OnPage(browser, "127.0.0.1", bridge.port)
                async with on.window() as page:
                    shown = page.locator("section.panel:visible")
                    await expect(page.get_by_role("heading", level=1)).to_have_text("lab1")
                    await page.keyboard.type("here = 'first'\n")
                    await expect(shown).to_contain_text("here = 'first'")
                    await page.get_by_role("button", name="lab 2").click()
                    await expect(page).to_have_title("lab 2 · WebREPL")
                    await expect(state(page)).to_have_text("connected")
                    await expect(shown).not_to_contain_text("first")
                    await page.keyboard.type("'sec' + 'ond'\n")
                    await expect(shown).to_contain_text("'second'")
                    await page.go_back()
                    await expect(shown).to_contain_text("here = 'first'")
                    await page.keyboard.type("here * 2\n")
                    await expect(shown).to_contain_text("'firstfirst'")
                assert on.complaints == []

    browser_thread(test)


def test_a_board_that_is_unplugged_greys_out_and_comes_back(browser_thread: InThread, tmp_path: Path) -> None:
    async def test(browser: Browser) -> None:
        (tmp_path / "other").mkdir()
        async with Cable(tmp_path) as cable, vm_on_pty(tmp_path / "other") as other:
            await cable.plug_in()
            boards = {"lab1": BoardOptions(str(cable.device)), "lab2": BoardOptions(other)}
            async with bridging(LabPlan(boards, (ANYWHERE,), PASSWORD)) as bridge:
                on = OnPage(browser, "127.0.0.1", bridge.port)
                async with on.window() as page:
                    button = page.get_by_role("button", name="lab1")
                    await expect(button).to_contain_text(re.compile("MicroPython 1.* at its prompt · 1 client"))
                    await cable.pull()
                    await shows(page, "[lab1: disconnected]")
                    await expect(button).to_contain_text("not there")
                    await cable.plug_in()
                    await expect(terminal(page)).to_contain_text("[lab1: back]")
                    await expect(button).not_to_contain_text("not there")
                    await page.keyboard.type("6 * 7\n")
                    await shows(page, "42")
                assert on.complaints == []

    browser_thread(test)


def test_what_is_known_of_a_board(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page, on.window() as other:
            about = page.locator("header .about")
            await expect(about).to_contain_text("at its prompt · attached: ")
            await expect(other.get_by_text("free")).to_be_visible()  # the files have been read
            await other.keyboard.press("Control+e")
            await expect(about).to_contain_text("in paste mode")
            await expect(about).to_contain_text("has the prompt")
            await other.keyboard.press("Control+c")
            await expect(about).to_contain_text("at its prompt")

    browse(test)


def test_boards_that_the_bridge_no_longer_has(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.route("**/boards", lambda route: route.fulfill(json={"default": "", "boards": []}))
            await expect(page.get_by_text("No board is here yet.")).to_be_visible()
            await expect(page.locator(".xterm")).to_have_count(0)
            await page.unroute("**/boards")
            await expect(state(page)).to_have_text("connected")
            await expect(page.get_by_text("No board is here yet.")).to_be_hidden()
            await page.keyboard.type("6 * 7\n")
            await shows(page, "42")

    browse(test)


def test_other_bridges_are_links_and_nothing_is_asked_of_them(
    browser_thread: InThread, unix_vm: UnixVM, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback = ["127.0.0.1"]
    monkeypatch.setattr(serve, "find_neighbours", lambda: Neighbours(loopback))

    async def test(browser: Browser) -> None:
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD, mdns=True)
        async with bridging(plan) as bridge:
            on = OnPage(browser, "127.0.0.1", bridge.port)
            async with on.window() as page:
                other = page.get_by_role("link", name="webrepl-bridge on ")
                async with Neighbours(loopback).run(Place(["192.0.2.7"], 8266, https=True)):
                    await expect(other).to_have_attribute("href", "https://192.0.2.7:8266/")
                    await other.hover()
                    await expect(page.get_by_role("button", name="lab1")).to_be_visible()
                await expect(other).to_be_hidden()
            assert on.complaints == []

    browser_thread(test)


def test_hard_reset_asks_first(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.get_by_role("button", name="Hard reset").click()
            await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
            await page.get_by_role("button", name="Hard reset").click()
            await page.get_by_role("dialog").get_by_role("button", name="Hard reset").click()
            await shows(page, "[unix: hard-reset, by ")

    browse(test)


def test_a_bridge_that_comes_back_with_another_password(browser_thread: InThread, unix_vm: UnixVM) -> None:
    async def test(browser: Browser) -> None:
        boards = {"lab1": BoardOptions(unix_vm.device)}
        async with AsyncExitStack() as first:
            bridge = await first.enter_async_context(bridging(LabPlan(boards, (ANYWHERE,), PASSWORD)))
            port = bridge.port
            on = OnPage(browser, "127.0.0.1", port)
            async with on.window() as page:
                await page.keyboard.type("kept = 'ke' + 'pt'\n")
                await shows(page, "kept = 'ke' + 'pt'")
                await first.aclose()
                await shows(page, "[connection lost: the bridge is stopping]")
                async with bridging(LabPlan(boards, (f"127.0.0.1:{port}",), "another")):
                    await expect(page.get_by_role("alert")).to_have_text("That is not the password.")
                    await page.get_by_label("Password").fill("another")
                    await page.keyboard.press("Enter")
                    await shows(page, "[connected again]")
                    await page.keyboard.type("kept * 2\n")
                    await shows(page, "'keptkept'")

    browser_thread(test)
