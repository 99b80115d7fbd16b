"""The board's files on the page: the tree, what goes in and out, and editing without losing anything."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from page.conftest import Browse, OnPage, shows

CODE = 'def greet(name):\n    return f"Hello {name}"\n'

DROP = """
async (target, files) => {
  // As a drop from the desktop: a DataTransfer cannot be given folders, so its items stand in for them.
  const entry = (name, content, above) => {
    const fullPath = `${above}/${name}`;
    if (typeof content === "string") {
      return { isFile: true, name, fullPath, file: (take) => take(new File([content], name)) };
    }
    const inner = Object.entries(content).map(([each, what]) => entry(each, what, fullPath));
    return { isFile: false, name, fullPath, createReader: () => ({ readEntries: (take) => take(inner.splice(0)) }) };
  };
  const items = Object.entries(files).map(([name, what]) => ({ webkitGetAsEntry: () => entry(name, what, "") }));
  const event = new Event("drop", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { items } });
  target.dispatchEvent(event);
}
"""


def item(page: Page, path: str) -> Locator:
    return page.locator(f'.item[data-path="{path}"]')


async def show_files(page: Page) -> None:
    """The board is at its prompt: its files are read unasked."""
    await expect(page.get_by_text("free", exact=False).last).to_be_visible()


async def choose(page: Page, name: str, action: str) -> None:
    await page.get_by_label(f"What to do with {name}", exact=True).click()
    await page.locator(".menu:popover-open").get_by_role("button", name=action).click()


async def answer(page: Page, text: str) -> None:
    await page.get_by_role("dialog").get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def content_of(path: Path) -> str:
    return await asyncio.to_thread(path.read_text, "utf-8")


@pytest.fixture
def folder(bridge: object) -> Path:
    folder: Path = bridge.folder  # type: ignore[attr-defined]
    (folder / "lib").mkdir()
    (folder / "lib" / "greet.py").write_text(CODE)
    (folder / "main.py").write_text("print('main')\n")
    (folder / "data.bin").write_bytes(bytes(range(256)))
    return folder


def test_a_folder_dropped_and_fetched_as_a_zip_file(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            files = {"app": {"a.py": "a = 1\n", "deep": {"b.txt": "grün\n"}}, "top.txt": "top\n"}
            await page.locator(".tree").evaluate(DROP, files)
            await expect(item(page, "/top.txt")).to_be_visible()
            assert await content_of(folder / "app" / "deep" / "b.txt") == "grün\n"
            async with page.expect_download() as download:
                await choose(page, "app", "Download")
            zipped = await asyncio.to_thread((await (await download.value).path()).read_bytes)
            with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
                assert {name: archive.read(name).decode() for name in archive.namelist()} == {
                    "app/a.py": "a = 1\n",
                    "app/deep/b.txt": "grün\n",
                }
            await page.locator(".files input[type=file]").set_input_files(
                {"name": "up.bin", "mimeType": "application/octet-stream", "buffer": bytes(100_000)}
            )
            await expect(item(page, "/up.bin")).to_contain_text("100 kB")

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
            await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
            await expect(item(page, "/lib")).to_be_hidden()
            assert not (folder / "lib").exists()

    browse(test)


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


def test_an_edit_is_never_lost(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await show_files(page)
            await item(page, "/main.py").click()
            await page.locator(".cm-content").focus()
            await page.keyboard.type("# mine\n")
            await page.reload()
            await show_files(page)
            await item(page, "/main.py").click()
            await expect(page.get_by_text("Your unsaved changes are back.")).to_be_visible()
            await expect(page.locator(".cm-content")).to_contain_text("# mine")
            await asyncio.to_thread((folder / "main.py").write_text, "# theirs\n")
            await page.keyboard.press("Control+s")
            dialog = page.get_by_role("dialog")
            await expect(dialog).to_contain_text("/main.py has changed on the board")
            await dialog.get_by_role("button", name="Cancel").click()
            assert await content_of(folder / "main.py") == "# theirs\n"
            await page.get_by_role("button", name="Save", exact=True).click()
            await dialog.get_by_role("button", name="Save all the same").click()
            await expect(page.get_by_text("/main.py saved.")).to_be_visible()
            assert await content_of(folder / "main.py") == "# mine\nprint('main')\n"
            await page.get_by_label("Close main.py").click()
            await expect(page.locator(".editor")).to_be_hidden()

    browse(test)


def test_what_cannot_be_edited_or_done_is_said(browse: Browse, folder: Path) -> None:
    async def test(on: OnPage) -> None:
        await asyncio.to_thread((folder / "large.txt").write_bytes, b"x" * 5_000_000)
        async with on.window() as page:
            await show_files(page)
            await item(page, "/data.bin").click()
            await expect(page.get_by_text("/data.bin is no text: download it instead.")).to_be_visible()
            await item(page, "/large.txt").click()
            await expect(page.get_by_text("/large.txt is too large to edit here (5.0 MB)")).to_be_visible()
            await asyncio.to_thread((folder / "main.py").unlink)
            await choose(page, "main.py", "Delete")
            await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
            await expect(page.get_by_text("/main.py: there is no such file or folder")).to_be_visible()
            await expect(item(page, "/main.py")).to_be_hidden()

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
