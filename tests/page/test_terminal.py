"""The page's terminal in a real browser, with a real MicroPython behind the bridge."""

from __future__ import annotations

import json
import re

from playwright.async_api import Page, expect

from page.conftest import Browse, OnPage, at_prompt, ends_in, run_endlessly, select_word, shows, state, terminal

PASTE = "".join(f"value_{i:04} = {i * i:9}  # {'ä' * (i % 7)}\n" for i in range(700)) + "print(value_0699, 'all')\n"

PUT_ON_CLIPBOARD = "text => navigator.clipboard.writeText(text)"
READ_CLIPBOARD = "() => navigator.clipboard.readText()"
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


async def paste(page: Page, text: str) -> None:
    await at_prompt(page)
    await page.evaluate(PUT_ON_CLIPBOARD, text)
    await page.keyboard.press("Control+v")


def test_log_in_and_type(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await expect(page).to_have_title("unix · WebREPL")
            await page.keyboard.type("print(6 * 7, 'gr\\xfcn')\n")
            await shows(page, "42 grün")
            await page.keyboard.type("impor")
            await page.keyboard.press("Tab")  # the board completes it
            await page.keyboard.type("sys; 'x' * 3\n")
            await shows(page, "'xxx'")

    browse(test)


def test_a_wrong_password_is_asked_for_again_and_the_right_one_once(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            await page.get_by_label("Password").fill("wrong")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("alert")).to_have_text("That is not the password.")
            await on.log_in(page)
            await page.reload()
            await expect(state(page)).to_have_text("connected")
            await expect(page.get_by_label("Password")).to_be_hidden()

    browse(test)


def test_a_tab_asks_the_others_for_the_password(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            waiting = await page.context.new_page()
            await waiting.goto(on.url)
            await expect(waiting.get_by_label("Password")).to_be_visible()
            await on.log_in(page)
            await expect(state(waiting)).to_have_text("connected")
            later = await page.context.new_page()
            await later.goto(on.url)
            await expect(state(later)).to_have_text("connected")

    browse(test)


def test_twenty_kilobytes_pasted_arrive_whole(browse: Browse) -> None:
    assert len(PASTE) > 20_000

    async def test(on: OnPage) -> None:
        async with on.window(**CLIPBOARD) as page:
            await paste(page, PASTE)
            await shows(page, "488601 all")
            await page.keyboard.type("sum(value for name, value in globals().items() if name[:6] == 'value_')\n")
            await shows(page, str(sum(i * i for i in range(700))))

    browse(test)


def test_a_paste_can_be_stopped_and_leaves_nothing_behind(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(**CLIPBOARD) as page:
            await paste(page, "x = 1\n" * 20_000)
            pasting = page.get_by_text(re.compile("^Pasting: .* of 20,000 lines"))
            await expect(pasting).to_be_visible()
            await page.get_by_role("button", name="Stop", exact=True).click()
            await expect(pasting).to_be_hidden()
            await shows(page, "[paste stopped after ")
            await page.keyboard.type("'x' in globals()\n")
            await shows(page, "False")

    browse(test)


def test_a_paste_into_paste_mode_that_has_been_entered(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(**CLIPBOARD) as page:
            await expect(page.get_by_text("free")).to_be_visible()  # the files have been read
            await page.get_by_role("button", name="Paste mode").click()
            await ends_in(page, "===")
            block = "if True:\n  pasted = 'pas'\n\n  print(pasted + 'ted')\n"
            await page.evaluate(PUT_ON_CLIPBOARD, block * 200 + "print('end')\n")
            await page.keyboard.press("Control+v")
            await ends_in(page, r"print\('end'\)\s*===")
            await page.keyboard.type("print('typed')\n")
            await page.keyboard.press("Control+d")
            await ends_in(page, r"pasted\s*pasted\s*end\s*typed\s*>>>")

    browse(test)


def test_ctrl_c_copies_what_is_selected_and_interrupts_otherwise(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(**CLIPBOARD) as page:
            await select_word(page)
            await page.keyboard.press("Control+c")
            await expect(page.get_by_text("Copied.")).to_be_visible()
            assert await page.evaluate(READ_CLIPBOARD) == "copied"
            await run_endlessly(page)
            await page.keyboard.press("Control+c")
            await shows(page, "KeyboardInterrupt")

    browse(test)


def test_the_tools(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as page:
            await expect(page.get_by_text("free")).to_be_visible()  # the files have been read
            await run_endlessly(page)
            await page.get_by_role("button", name="Interrupt").click()
            await shows(page, "KeyboardInterrupt")
            await at_prompt(page)
            await page.get_by_role("button", name="Paste mode").click()
            await page.keyboard.type("print('block'\n)\n")
            await page.keyboard.press("Control+d")
            await shows(page, "block>>>")
            await page.get_by_role("button", name="Search").click()
            await page.get_by_label("Search the terminal").fill("block")
            await expect(page.locator(".search output")).to_have_text("2 of 2")
            await page.keyboard.press("Shift+Enter")
            await expect(page.locator(".search output")).to_have_text("1 of 2")
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="Clear").click()
            await expect(terminal(page)).not_to_contain_text("block")
            await page.get_by_role("button", name="Soft reset").click()
            await shows(page, "soft reboot")

    browse(test)


def test_two_browsers_on_one_board(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window() as one, on.window() as other:
            await one.keyboard.type("shared = 'from' + ' one'\n")
            await shows(other, "'from' + ' one'")
            await other.keyboard.type("print(shared + ' to other')\n")
            await shows(one, "from one to other")

    browse(test)


def test_a_board_that_means_ill(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(**CLIPBOARD) as page:
            await page.evaluate(PUT_ON_CLIPBOARD, "mine")
            title, clipboard = r"\x1b]0;taken over\x07", r"\x1b]52;c;c3RvbGVu\x07"
            link = r"\x1b]8;;javascript:alert(1)\x07click\x1b]8;;\x07"
            await page.keyboard.type(f'print("{title}{clipboard}{link} <img src=x onerror=alert(1)>", 40 + 2)\n')
            await shows(page, "click <img src=x onerror=alert(1)> 42")
            await page.locator(".xterm-screen").click(position={"x": 10, "y": 40})
            assert await page.title() == "unix · WebREPL"
            assert await page.evaluate(READ_CLIPBOARD) == "mine"
            assert len(page.context.pages) == 1

    browse(test)


def test_the_link_is_lost_and_comes_back(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            sockets = []
            await page.route_web_socket("**", lambda route: sockets.append((route, route.connect_to_server())))
            await page.reload()
            await on.log_in(page)
            await page.keyboard.type("kept = 'kept'\n")
            await shows(page, "kept = 'kept'")
            await sockets[-1][0].close(code=1001, reason="the bridge is stopping")
            await shows(page, "[connection lost: the bridge is stopping]")
            await shows(page, "[connected again]")
            await page.keyboard.type("print(kept * 2)\n")
            await shows(page, "keptkept")

    browse(test)


def test_a_board_that_prints_faster_than_anyone_could_draw(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(log_in=False) as page:
            await page.add_init_script(
                "sockets = []; WebSocket = class extends WebSocket { s = sockets.unshift(this) }"
            )
            await page.reload()
            await on.log_in(page)
            await page.evaluate(
                "() => { for (const data of ['x'.repeat(60_000_000), 'the end'])"
                "sockets[0].onmessage(new MessageEvent('message', { data })) }"
            )
            await shows(page, "the end")

    browse(test)


def test_the_phone_and_the_keyboard_alone(browse: Browse) -> None:
    async def test(on: OnPage) -> None:
        async with on.window(360, 640, has_touch=True, is_mobile=True) as page:
            await page.keyboard.type("'a phone'\n")
            await shows(page, "'a phone'")
            await expect(page.locator("header .about")).to_contain_text("at its prompt")
            await expect(page.locator("header .about")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        async with on.window() as page:
            await page.keyboard.press("F6")
            await expect(page.get_by_role("button", name="Help")).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.keyboard.press("Escape")
            await page.get_by_role("button", name="Interrupt").focus()
            await page.keyboard.press("F6")
            await page.keyboard.type("'terminal' + ' again'\n")
            await shows(page, "'terminal again'")

    browse(test)


def test_nothing_that_hinders_people(browse: Browse, axe: str) -> None:
    async def check(page: Page) -> None:
        await page.evaluate(axe)
        found = await page.evaluate("axe.run({resultTypes: ['violations']})")
        serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        assert not serious, json.dumps(serious, indent=1)

    async def test(on: OnPage) -> None:
        for colours in ("light", "dark"):
            async with on.window(log_in=False, color_scheme=colours) as page:
                await expect(page.get_by_label("Password")).to_be_visible()
                await check(page)
                await on.log_in(page)
                await page.keyboard.type("print('\\x1b[31mred\\x1b[0m')\n")
                await shows(page, "red")
                await page.keyboard.press("Control+Shift+F")
                await check(page)
                await page.get_by_role("button", name="Help").click()
                await check(page)

    browse(test)
