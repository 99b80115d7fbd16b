"""What tests do with the list of files on the page."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Locator, Page, expect

CODE = 'def greet(name):\n    return f"Hello {name}"\n'

LONG_BYTES = 200_000_000
"""So much is not there before a person, or a test, can stop it."""

DROP = """
([selector, files]) => {
  // As a drop from the desktop: a DataTransfer cannot be given folders, so its items stand in for them.
  const entry = (name, content, above) => {
    const fullPath = `${above}/${name}`;
    const made = () => new File([typeof content === "number" ? noise(content) : content], name);
    if (typeof content !== "object") return { isFile: true, name, fullPath, file: (take) => take(made()) };
    const inner = Object.entries(content).map(([each, what]) => entry(each, what, fullPath));
    return { isFile: false, name, fullPath, createReader: () => ({ readEntries: (take) => take(inner.splice(0)) }) };
  };
  const noise = (size) => {
    const piece = crypto.getRandomValues(new Uint8Array(65536));
    return new Blob(Array(Math.ceil(size / piece.length)).fill(piece)).slice(0, size);
  };
  const items = Object.entries(files).map(([name, what]) => ({ webkitGetAsEntry: () => entry(name, what, "") }));
  const event = new Event("drop", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { items } });
  document.querySelector(selector).dispatchEvent(event); // no locator: the list may be drawn anew before it is used
}
"""
"""Drops files on what a selector finds: contents by names; a number is so many bytes, an object a folder."""


def item(page: Page, path: str) -> Locator:
    """A file or folder in the list."""
    return page.locator(f'.row[data-path="{path}"] .item')


async def show_files(page: Page) -> None:
    """The board is at its prompt: its files are read unasked."""
    await expect(page.get_by_text("free", exact=False).last).to_be_visible()


async def choose(page: Page, name: str, action: str) -> None:
    """Choose from the menu of a file or folder."""
    await page.get_by_label(f"What to do with {name}", exact=True).click()
    await page.locator(".menu:popover-open").get_by_role("button", name=action, exact=True).click()


async def answer(page: Page, text: str) -> None:
    """Give the text that is asked for."""
    await page.get_by_role("dialog").get_by_role("textbox").fill(text)
    await page.keyboard.press("Enter")


async def agree(page: Page, button: str) -> None:
    """Answer a question with one of its buttons."""
    await page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


async def drop(page: Page, on: str, files: object) -> None:
    """Drop files on what a selector finds; see DROP."""
    await expect(page.locator(on)).to_have_count(1)
    await page.evaluate(DROP, [on, files])


async def note(page: Page, text: str) -> None:
    """Wait for a note, and put it away."""
    line = page.locator(".note").get_by_text(text)
    await line.click()
    await expect(line).to_have_count(0)


async def opened(page: Page, path: str) -> None:
    """A file has come into the editor, and what is typed goes there."""
    await expect(page.locator(".tab.shown").get_by_title(path, exact=True)).to_be_visible()
    await page.locator(".cm-content:visible").focus()


async def edit(page: Page, path: str, text: str) -> None:
    """Open a file and type at its beginning."""
    await item(page, path).click()
    await opened(page, path)
    await page.keyboard.press("Control+Home")
    await page.keyboard.insert_text(text)


async def content_of(path: Path) -> str:
    """What is in a file of the board's."""
    return (await asyncio.to_thread(path.read_bytes)).decode()


async def write(path: Path, text: str) -> None:
    """Write a file of the board's, as a program there does."""
    await asyncio.to_thread(path.write_bytes, text.encode())
