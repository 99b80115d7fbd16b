"""Files on their way to and from the board: asked about, stopped, refused."""

from __future__ import annotations

import asyncio
import os
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from page.conftest import Browse, InThread, OnPage, on_cable, shows
from page.files_kit import LONG_BYTES, agree, choose, content_of, drop, item, note, opened, show_files, write
from ram_disk import ram_disk


async def stop(page: Page, what: str) -> None:
    """Stop a transfer that has begun to move."""
    job = page.locator(".job")
    await expect(job).to_contain_text(what)
    await expect(job).to_contain_text("B/s")
    await job.get_by_role("button", name="Stop").click()
    await expect(job).to_have_count(0)


async def at_the_prompt(page: Page) -> None:
    """The board takes what is typed, and does it."""
    await page.locator(".console .screen").click()
    await page.keyboard.type("'pro' + 'mpt'\n")
    await shows(page, "'prompt'")


def left_overs(folder: Path) -> list[str]:
    return [name for _, _, names in os.walk(folder) for name in names if name.endswith("~")]


def test_five_megabytes_there_and_back(browse: Browse, folder: Path) -> None:
    content = os.urandom(1_000_000) * 5

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            async with page.expect_file_chooser() as chooser:
                await page.locator(".head").get_by_role("button", name="Upload", exact=True).click()
            file = {"name": "big.bin", "mimeType": "application/octet-stream", "buffer": content}
            await (await chooser.value).set_files(file)  # type: ignore[arg-type]
            await expect(page.locator(".job")).to_contain_text("Sending big.bin: ")
            await expect(item(page, "/big.bin")).to_contain_text("5.0 MB")
            assert await asyncio.to_thread((folder / "big.bin").read_bytes) == content
            async with page.expect_download() as download:
                await choose(page, "big.bin", "Download")
            assert await asyncio.to_thread((await (await download.value).path()).read_bytes) == content
            await item(page, "/big.bin").click()
            await expect(page.get_by_text("/big.bin is too large to edit here (5.0 MB)")).to_be_visible()

    browse(test)


def test_a_file_is_replaced_only_by_who_says_so(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            dialog = page.get_by_role("dialog")
            await drop(page, ".tree", {"main.py": "new\n"})
            await expect(dialog).to_contain_text("Replace main.py?")
            await agree(page, "Cancel")
            assert await content_of(folder / "main.py") == "print('main')\n"
            await drop(page, ".tree", {"main.py": "new\n"})
            await agree(page, "Replace")
            await expect(item(page, "/main.py")).to_contain_text("4 B")
            await drop(page, ".tree", {"main.py": "newer\n", "lib": {"greet.py": "hi\n", "more.py": "more\n"}})
            await expect(dialog).to_contain_text("Replace 2 files?")
            await expect(dialog).to_contain_text("lib/greet.py")
            await agree(page, "Send only the other one")
            await item(page, "/lib").click()
            await expect(item(page, "/lib/more.py")).to_be_visible()
            assert await content_of(folder / "main.py") == "new\n"
            await drop(page, '.row[data-path="/lib"]', {"greet.py": "hi\n", "more.py": "more and more\n"})
            await agree(page, "Replace all")
            await expect(item(page, "/lib/more.py")).to_contain_text("14 B")
            assert await content_of(folder / "lib" / "greet.py") == "hi\n"

    browse(test)


def test_an_upload_that_is_stopped_leaves_the_old_file(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await write(folder / "big.bin", "old")
            await drop(page, ".tree", {"big.bin": LONG_BYTES})
            await agree(page, "Replace")
            await stop(page, "Sending big.bin: ")
            await note(page, "Stopped; /big.bin is as it was.")
            await at_the_prompt(page)
            assert await content_of(folder / "big.bin") == "old"
            assert left_overs(folder) == []
            await drop(page, ".tree", {"again.txt": "again"})
            await expect(item(page, "/again.txt")).to_be_visible()

    browse(test)


def test_a_folder_that_is_stopped_keeps_what_is_whole(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await drop(page, ".tree", {"app": {"a.py": "a = 1\n", "b.bin": LONG_BYTES, "c.py": "c = 1\n"}})
            await stop(page, "Sending app/b.bin, 2 of 3: ")
            await note(page, "Stopped after 1 file; /app/b.bin is as it was.")
            await at_the_prompt(page)
            assert await asyncio.to_thread(os.listdir, folder / "app") == ["a.py"]

    browse(test)


@pytest.mark.parametrize("name", ["long.bin", "app"])
def test_a_download_that_is_stopped(browse: Browse, folder: Path, name: str) -> None:
    (folder / "app").mkdir()
    for path in (folder / "long.bin", folder / "app" / "long.bin"):
        with path.open("wb") as file:
            file.truncate(LONG_BYTES)

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await choose(page, name, "Download")
            await stop(page, "long.bin: ")
            await note(page, f"/{name} was not downloaded.")
            await at_the_prompt(page)

    browse(test)


def test_a_full_board(browse: Browse, folder: Path) -> None:
    (folder / "ram.py").write_text(ram_disk("VfsLfs2", 50))

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await page.keyboard.type("import ram; 'moun' + 'ted'\n")
            await shows(page, "'mounted'")
            await page.get_by_role("button", name="Refresh").click()
            await drop(page, '.row[data-path="/ram"]', {"new.bin": 40_000})
            await note(page, "/ram/new.bin: the board has no space left")
            await drop(page, '.row[data-path="/ram"]', {"old": 40_000})
            await agree(page, "Replace")
            await note(page, "/ram/old: the board has no space left")
            await expect(item(page, "/ram/new.bin")).to_have_count(0)
            await item(page, "/ram/old").click()
            await opened(page, "/ram/old")
            await page.keyboard.insert_text(("too much " * 100 + "\n") * 50)
            await page.keyboard.press("Control+s")
            await note(page, "/ram/old: the board has no space left")
            await expect(page.get_by_role("button", name="old, not saved")).to_be_visible()
            await page.keyboard.press("Control+a")
            await page.keyboard.insert_text("fits")
            await page.keyboard.press("Control+s")
            await note(page, "/ram/old saved.")
            await page.locator(".console .screen").click()
            await page.keyboard.type("open('/ram/old').read()\n")
            await shows(page, "'fits'")

    browse(test)


def test_everything_as_a_zip_file(browse: Browse, folder: Path) -> None:
    (folder / "empty").mkdir()

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            async with page.expect_download() as download:
                await page.get_by_role("button", name="Download all").click()
            saved = await download.value
            assert saved.suggested_filename == "unix.zip"
            with zipfile.ZipFile(await saved.path()) as archive:
                assert sorted(archive.namelist()) == [
                    *("unix/data.bin", "unix/empty/", "unix/lib/", "unix/lib/greet.py", "unix/main.py")
                ]
                assert archive.read("unix/data.bin") == bytes(range(256))

    browse(test)


def test_a_file_that_cannot_be_read_any_more(browse: Browse, folder: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.txt"
    chosen.write_bytes(bytes(2_000_000))

    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await write(folder / "chosen.txt", "old")
            async with page.expect_file_chooser() as chooser:
                await page.locator(".head").get_by_role("button", name="Upload", exact=True).click()
            await (await chooser.value).set_files(chosen)
            await expect(page.get_by_role("dialog")).to_contain_text("Replace chosen.txt?")
            await asyncio.to_thread(chosen.unlink)
            await agree(page, "Replace")
            await note(page, "/chosen.txt: this computer does not let the page read it")
            await at_the_prompt(page)
            assert await content_of(folder / "chosen.txt") == "old"

    browse(test)


def test_the_connection_is_lost_during_an_upload(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            sockets: list[tuple[WebSocketRoute, WebSocketRoute]] = []

            def connect(route: WebSocketRoute) -> None:
                sockets.append((route.connect_to_server(), route))

            await page.route_web_socket("**", connect)
            await page.reload()
            await on.log_in(page)
            await show_files(page)
            await drop(page, ".tree", {"main.py": LONG_BYTES})
            await agree(page, "Replace")
            await expect(page.locator(".job")).to_contain_text("B/s")
            to_bridge, to_page = sockets[-1]
            await to_page.close(code=1001, reason="the bridge is stopping")
            await to_bridge.close()
            await note(page, "/main.py: the connection was lost")
            await shows(page, "[connected again]")
            await at_the_prompt(page)
            assert await content_of(folder / "main.py") == "print('main')\n"
            await drop(page, ".tree", {"next.txt": "next"})
            await expect(item(page, "/next.txt")).to_be_visible()

    browse(test)


def test_the_board_is_unplugged_during_an_upload(browser_thread: InThread, tmp_path: Path) -> None:
    async def test(browser: Browser) -> None:
        async with on_cable(browser, tmp_path) as (page, cable):
            await show_files(page)
            await drop(page, ".tree", {"main.py": LONG_BYTES})
            await agree(page, "Replace")
            await expect(page.locator(".job")).to_contain_text("B/s")
            await cable.pull()
            await note(page, "/main.py: the board failed")
            await cable.plug_in()
            await shows(page, "[lab1: back]")
            await at_the_prompt(page)
            assert await content_of(cable.files / "main.py") == "print('main')\n"
            await drop(page, ".tree", {"next.txt": "next"})
            await expect(item(page, "/next.txt")).to_be_visible()

    browser_thread(test)
