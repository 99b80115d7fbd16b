"""Editing on the page: saved, run, and never lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from page.conftest import Browse, InThread, OnPage, on_cable, shows, state
from page.files_kit import agree, answer, choose, content_of, edit, item, note, show_files, write


def unsaved(page: Page, name: str) -> object:
    return expect(page.get_by_role("button", name=f"{name}, not saved"))


def test_edit_save_and_run(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/main.py").click()
            await expect(page.locator(".cm-content")).to_contain_text("print('main')")
            await page.keyboard.press("Control+End")
            await page.keyboard.type("print(6 * 7, 'saved')")
            await page.keyboard.press("F5")
            await shows(page, "42 saved")
            assert await content_of(folder / "main.py") == "print('main')\nprint(6 * 7, 'saved')"
            await page.locator(".cm-content").focus()
            await page.keyboard.press("Control+a")
            await page.keyboard.type("for i in range(3):\nprint(i * 'ab')")
            await page.keyboard.press("Control+a")
            await page.get_by_role("button", name="Run selection").click()
            await shows(page, "abab")
            assert await content_of(folder / "main.py") == "print('main')\nprint(6 * 7, 'saved')"

    browse(test)


def test_an_edit_outlives_the_page(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await edit(page, "/main.py", "# mine\n")
            await unsaved(page, "main.py").to_be_visible()
            await page.reload()
            await unsaved(page, "main.py").to_be_visible()
            await expect(page.locator(".cm-content")).to_contain_text("# mine")
            await write(folder / "main.py", "# theirs\n")
            await page.reload()
            await unsaved(page, "main.py").to_be_visible()
            await page.get_by_role("button", name="Save", exact=True).click()
            await expect(page.get_by_role("dialog")).to_contain_text("/main.py has changed on the board")
            await agree(page, "Cancel")
            assert await content_of(folder / "main.py") == "# theirs\n"
            await page.get_by_role("button", name="Save", exact=True).click()
            await agree(page, "Save all the same")
            await note(page, "/main.py saved.")
            assert await content_of(folder / "main.py") == "# mine\nprint('main')\n"
            await page.get_by_label("Close main.py").click()
            await expect(page.locator(".editor")).to_be_hidden()

    browse(test)


def test_what_has_changed_on_the_board_is_shown_or_said(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            text = page.locator(".cm-content")
            await item(page, "/main.py").click()
            await expect(text).to_contain_text("print('main')")
            await write(folder / "main.py", "first\n")
            await item(page, "/main.py").click()
            await expect(text).to_contain_text("first")
            await page.keyboard.press("Control+Home")
            await page.keyboard.insert_text("mine ")
            await write(folder / "main.py", "second\n")
            await item(page, "/main.py").click()
            await note(page, "/main.py has changed on the board")
            await expect(text).to_contain_text("mine first")
            await page.keyboard.press("Control+s")
            await agree(page, "Open that one")
            await expect(text).to_contain_text("second")
            await text.focus()
            await page.keyboard.press("Control+z")
            await expect(text).to_contain_text("mine first")
            await asyncio.to_thread((folder / "main.py").unlink)
            await page.keyboard.press("Control+s")
            await expect(page.get_by_role("dialog")).to_contain_text("/main.py is no longer on the board")
            await agree(page, "Save all the same")
            await note(page, "/main.py saved.")
            assert await content_of(folder / "main.py") == "mine first\n"

    browse(test)


def test_a_file_that_is_renamed_while_it_is_edited(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/lib").click()
            await edit(page, "/lib/greet.py", "# mine\n")
            await choose(page, "lib", "Rename or move")
            await answer(page, "/code")
            await expect(item(page, "/code/greet.py")).to_be_visible()
            await page.get_by_role("button", name="Save", exact=True).click()
            await note(page, "/code/greet.py saved.")
            assert (await content_of(folder / "code" / "greet.py")).startswith("# mine\ndef")

    browse(test)


def test_line_ends_stay_as_they_are(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        await write(folder / "dos.txt", "one\r\ntwo\r\n")
        await write(folder / "mixed.txt", "one\r\ntwo\nthree\r")
        async with on.window() as page:
            await show_files(page)
            for name in ("dos.txt", "mixed.txt"):
                await edit(page, f"/{name}", "zero\n")
                await page.keyboard.press("Control+s")
                await note(page, f"/{name} saved.")
            assert await content_of(folder / "dos.txt") == "zero\r\none\r\ntwo\r\n"
            assert await content_of(folder / "mixed.txt") == "zero\none\r\ntwo\nthree\r"

    browse(test)


def test_what_the_browser_cannot_keep_is_not_left_unasked(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await page.evaluate("void (Storage.prototype.setItem = () => { throw new DOMException('full') })")
            await edit(page, "/main.py", "# mine\n")
            await unsaved(page, "main.py").to_be_visible()
            async with page.expect_event("dialog") as leaving:
                await page.close(run_before_unload=True)
            assert (await leaving.value).type == "beforeunload"
            await (await leaving.value).dismiss()
            await page.keyboard.press("Control+s")
            await note(page, "/main.py saved.")

    browse(test)


def test_the_bridge_goes_away_while_someone_edits(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            sockets = []
            gone = False

            async def connect(route: object) -> None:
                if gone:
                    await route.close(code=1001)  # type: ignore[attr-defined]
                else:
                    sockets.append((route, route.connect_to_server()))  # type: ignore[attr-defined]

            await page.route_web_socket("**", connect)
            await page.reload()
            await on.log_in(page)
            await edit(page, "/main.py", "# mine\n")
            gone = True
            await sockets[-1][0].close(code=1001, reason="the bridge is stopping")
            await expect(state(page)).to_have_text("connection lost, trying again …")
            await page.keyboard.press("Control+s")
            await note(page, "/main.py: the connection was lost")
            await unsaved(page, "main.py").to_be_visible()
            gone = False
            await expect(state(page)).to_have_text("connected")
            await page.locator(".cm-content").focus()
            await page.keyboard.press("Control+s")
            await note(page, "/main.py saved.")
            assert await content_of(folder / "main.py") == "# mine\nprint('main')\n"

    browse(test)


def test_the_board_goes_away_while_someone_edits(browser_thread: InThread, tmp_path: Path) -> None:
    async def test(browser: Browser) -> None:
        async with on_cable(browser, tmp_path) as (page, cable):
            await show_files(page)
            await edit(page, "/main.py", "# mine\n")
            await cable.pull()
            await shows(page, "[lab1: disconnected]")
            await page.keyboard.press("Control+s")
            await note(page, "/main.py: the board is not there")
            await unsaved(page, "main.py").to_be_visible()
            await cable.plug_in()
            await shows(page, "[lab1: back]")
            await page.keyboard.press("Control+s")
            await note(page, "/main.py saved.")
            assert await content_of(cable.files / "main.py") == "# mine\nprint('main')\n"

    browser_thread(test)
