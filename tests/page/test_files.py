"""The board's files on the page: the tree, what goes in and out, and editing without losing anything."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path

from playwright.async_api import Page, expect

from page.conftest import Browse, OnPage, shows
from page.files_kit import (
    CODE,
    LONG_BYTES,
    agree,
    answer,
    choose,
    content_of,
    drop,
    item,
    note,
    opened,
    show_files,
    write,
)


def test_a_folder_dropped_and_fetched_as_a_zip_file(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            files = {"app": {"a.py": "a = 1\n", "deep": {"b.txt": "grün\n"}}, "top.txt": "top\n"}
            await drop(page, ".tree", files)
            await expect(item(page, "/top.txt")).to_be_visible()
            assert await content_of(folder / "app" / "deep" / "b.txt") == "grün\n"
            async with page.expect_download() as download:
                await choose(page, "app", "Download")
            zipped = await asyncio.to_thread((await (await download.value).path()).read_bytes)
            with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
                assert {name: archive.read(name).decode() for name in archive.namelist()} == {
                    "app/deep/": "",
                    "app/a.py": "a = 1\n",
                    "app/deep/b.txt": "grün\n",
                }

    browse(test)


def test_a_folder_sent_by_button_into_another(browse: Browse, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "app" / "deep").mkdir(parents=True)
    (tmp_path / "app" / "a.py").write_text("a = 1\n")
    (tmp_path / "app" / "deep" / "b.py").write_text("b = 2\n")

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            async with page.expect_file_chooser() as chooser:
                await choose(page, "lib", "Upload folder")
            await (await chooser.value).set_files(tmp_path / "app")
            await expect(item(page, "/lib/app")).to_be_visible()
            assert await content_of(folder / "lib" / "app" / "deep" / "b.py") == "b = 2\n"

    browse(test)


def test_new_rename_and_delete(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/lib").click()
            await expect(item(page, "/lib/greet.py")).to_be_visible()
            await page.get_by_role("button", name="New folder").click()
            await answer(page, "/lib/inner")
            await expect(item(page, "/lib/inner")).to_be_visible()
            await choose(page, "greet.py", "Rename or move")
            await answer(page, '/lib/inner/it\'s "odd" ✓.py')
            await item(page, "/lib/inner").click()
            await expect(page.get_by_role("button", name='it\'s "odd" ✓.py').first).to_be_visible()
            assert await content_of(folder / "lib" / "inner" / 'it\'s "odd" ✓.py') == CODE
            await choose(page, "lib", "Delete")
            await page.get_by_role("button", name="Cancel").click()
            await expect(item(page, "/lib")).to_be_visible()
            await choose(page, "lib", "Delete")
            await agree(page, "Delete")
            await expect(item(page, "/lib")).to_be_hidden()
            assert not (folder / "lib").exists()

    browse(test)


def test_what_cannot_be_edited_or_done_is_said(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/data.bin").click()
            await expect(page.get_by_text("/data.bin is no text: download it instead.")).to_be_visible()
            await asyncio.to_thread((folder / "main.py").unlink)
            await choose(page, "main.py", "Delete")
            await agree(page, "Delete")
            await expect(page.get_by_text("/main.py: there is no such file or folder")).to_be_visible()
            await expect(item(page, "/main.py")).to_be_hidden()

    browse(test)


def test_moved_by_mouse(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        await write(folder / "lib" / "main.py", "# another\n")
        async with on.window() as page:
            await show_files(page)
            await item(page, "/data.bin").drag_to(item(page, "/lib"))
            await item(page, "/lib").click()
            await expect(item(page, "/lib/data.bin")).to_be_visible()
            assert await asyncio.to_thread((folder / "lib" / "data.bin").read_bytes) == bytes(range(256))
            await item(page, "/main.py").drag_to(item(page, "/lib"))
            await expect(page.get_by_role("dialog")).to_contain_text("Replace /lib/main.py?")
            await agree(page, "Cancel")
            assert await content_of(folder / "lib" / "main.py") == "# another\n"
            await item(page, "/lib/data.bin").drag_to(item(page, "/main.py"))
            await expect(item(page, "/data.bin")).to_be_visible()
            await expect(item(page, "/lib/data.bin")).to_have_count(0)

    browse(test)


def test_what_someone_has_in_hand_stays_while_the_list_changes(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await drop(page, ".tree", {"a.txt": "a", "long.bin": LONG_BYTES})
            await expect(page.locator(".job")).to_contain_text("Sending long.bin, 2 of 2: ")
            await item(page, "/data.bin").hover()
            await page.mouse.down()
            await item(page, "/lib").hover()
            await page.get_by_role("button", name="Stop", exact=True).evaluate("button => button.click()")
            await expect(page.locator(".note")).to_contain_text("Stopped after 1 file")
            await item(page, "/lib").hover()
            await page.mouse.up()
            await expect(item(page, "/data.bin")).to_have_count(0)
            await expect(item(page, "/a.txt")).to_be_visible()
            assert (folder / "lib" / "data.bin").exists()

    browse(test)


def test_moved_and_deleted_by_keyboard(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/data.bin").focus()
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("F2")
            await answer(page, "lib/new/main.py")
            await expect(item(page, "/main.py")).to_have_count(0)
            await item(page, "/data.bin").focus()
            await page.keyboard.press("ArrowUp")
            await page.keyboard.press("ArrowRight")
            await expect(item(page, "/lib/new")).to_be_visible()
            await expect(item(page, "/lib")).to_be_focused()
            await page.keyboard.press("ArrowLeft")
            await expect(item(page, "/lib/new")).to_have_count(0)
            assert await content_of(folder / "lib" / "new" / "main.py") == "print('main')\n"
            await item(page, "/data.bin").focus()
            await page.keyboard.press("Delete")
            await expect(page.get_by_role("dialog")).to_contain_text("Delete /data.bin?")
            await page.keyboard.press("Enter")
            await expect(item(page, "/data.bin")).to_have_count(0)

    browse(test)


NAMES = [
    'it\'s "odd".txt',
    "two\nlines.txt",
    "smile 😀.txt",
    "<img src=x onerror=alert(1)>.txt",
    "a&amp;b;c%20.txt",
    "-~.txt",
]


def test_names_of_all_kinds(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        for name in NAMES:
            await write(folder / name, name)
        async with on.window() as page:
            await show_files(page)
            for name in NAMES:
                shown = name.replace("\n", "␊")
                await page.locator(".tree").get_by_role("button", name=shown, exact=False).first.click()
                await opened(page, f"/{shown}")
                await page.keyboard.insert_text("! ")
                await page.keyboard.press("Control+s")
                await note(page, f"/{shown} saved.")
                assert await content_of(folder / name) == f"! {name}"
                await choose(page, shown, "Rename or move")
                await page.get_by_role("dialog").get_by_role("textbox").press("End")
                await page.keyboard.insert_text("2")
                await page.keyboard.press("Enter")
                await expect(page.get_by_label(f"What to do with {shown}2", exact=True)).to_be_visible()
                assert await content_of(folder / f"{name}2") == f"! {name}"
                async with page.expect_download() as download:
                    await choose(page, f"{shown}2", "Download")
                assert await content_of(await (await download.value).path()) == f"! {name}"
                await choose(page, f"{shown}2", "Delete")
                await agree(page, "Delete")
                await expect(page.get_by_label(f"What to do with {shown}2", exact=True)).to_have_count(0)
            assert await page.locator(".tree img").count() == 0

    browse(test)


def test_files_and_editor_hinder_nobody(browse: Browse, folder: Path, axe: str) -> None:
    async def check(page: Page) -> None:
        await page.evaluate(axe)
        found = await page.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)

    async def test(on: OnPage) -> None:
        async with on.window(color_scheme="dark") as page:
            await check(page)
            await show_files(page)
            await item(page, "/lib").click()
            await item(page, "/lib/greet.py").click()
            await expect(page.locator(".cm-content")).to_contain_text("Hello")
            await page.get_by_role("button", name="Plot").click()
            await expect(page.locator(".plot")).to_be_visible()
            await page.get_by_label("What to do with lib", exact=True).click()
            await check(page)
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="New file").click()
            await check(page)
            await page.keyboard.press("Escape")
            await drop(page, ".tree", {"main.py": "", "data.bin": LONG_BYTES})
            await expect(page.get_by_role("dialog")).to_contain_text("Replace 2 files?")
            await check(page)
            await agree(page, "Replace all")
            await expect(page.locator(".job")).to_contain_text("B/s")
            await check(page)
            await page.locator(".job").get_by_role("button", name="Stop").click()
            await expect(page.locator(".note")).to_be_visible()
            await check(page)

    browse(test)


def test_files_on_a_phone(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(360, 640, has_touch=True, is_mobile=True) as page:
            views = page.locator(".views")
            await views.get_by_role("button", name="Files").tap()
            await show_files(page)
            await item(page, "/main.py").tap()
            await expect(page.locator(".cm-content")).to_be_visible()
            await page.get_by_role("button", name="Run", exact=True).tap()
            await shows(page, "exec(open")
            await shows(page, "main")
            await drop(page, ".tree", {"data.bin": LONG_BYTES})
            await agree(page, "Replace")
            await page.locator(".job").get_by_role("button", name="Stop").tap()
            await expect(page.locator(".job")).to_have_count(0)
            await views.get_by_role("button", name="Plot").tap()
            await expect(page.locator(".plot")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360

    browse(test)


def test_a_running_program_is_not_interrupted_unasked(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await expect(item(page, "/main.py")).to_be_visible()
            await page.keyboard.type("while True: pass\n\n")
            about = page.locator("header .about")
            await expect(about).to_contain_text("a program runs")
            async with on.window() as late:
                await expect(late.locator("header .about")).to_contain_text("a program runs")
                await late.get_by_role("button", name="Show files").click()
                await expect(item(late, "/main.py")).to_be_visible()
            await shows(page, "KeyboardInterrupt")

    browse(test)
