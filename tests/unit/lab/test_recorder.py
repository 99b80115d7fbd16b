"""Recordings, and what asciinema itself makes of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fake_board import FakeBoard
from serving import serving
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab import recorder
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import LabPlan
from webrepl_bridge.lab.recorder import check_folder, record
from webrepl_bridge.session import BACKLOG_CHARS_MAX
from webrepl_link.errors import OpenError

if TYPE_CHECKING:
    from collections.abc import Coroutine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FLUSH_S", 0.01)


def run(test: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(bounded())


async def until_written(folder: Path, text: str) -> Path:
    """Let the recorder work until a file has `text` in it; `run` bounds the time."""

    def written() -> list[str]:
        return [file for file in sorted(os.listdir(folder)) if text in (folder / file).read_text("utf-8")]

    while not (found := written()):  # noqa: ASYNC110 - a file tells nobody
        await asyncio.sleep(0.005)
    return folder / found[0]


def events(file: Path) -> tuple[dict[str, object], list[tuple[float, str, str]]]:
    lines = file.read_text("utf-8").splitlines()
    return json.loads(lines[0]), [tuple(json.loads(line)) for line in lines[1:]]


def replay(file: Path) -> bytes:
    """What asciinema plays."""
    command = [sys.executable, "-m", "asciinema", "cat", str(file)]
    return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout


def test_what_asciinema_replays_is_what_people_saw(tmp_path: Path) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with serving(board, name="lab/1") as running, asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(running.session, tmp_path))
            await asyncio.sleep(0)
            board.on_output("MicroPython \x1b[1mgrün\x1b[0m\r\n>>> ".encode()[:15])
            board.on_output("MicroPython \x1b[1mgrün\x1b[0m\r\n>>> ".encode()[15:] + b"\xff\0")
            board.on_notice("back")
            await until_written(tmp_path, "back")
            board.on_output(b"the end")
            recording.cancel()
        assert running.session.watchers == []

    run(test())
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("lab-1-2")
    assert file.suffix == ".cast"
    seen = "MicroPython \x1b[1mgrün\x1b[0m\r\n>>> \ufffd\0\r\n[lab/1: back]\r\nthe end"
    header, found = events(file)
    assert (header["version"], header["width"], header["height"], header["title"]) == (2, 80, 24, "lab/1")
    assert "".join(text for _, _, text in found) == seen
    assert {kind for _, kind, _ in found} == {"o"}
    times = [time for time, _, _ in found]
    assert times == sorted(times)
    assert replay(file) == seen.encode()


def test_a_recording_is_whole_up_to_the_last_flush_whenever_the_bridge_dies(tmp_path: Path) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with serving(board) as running, asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(running.session, tmp_path))
            await asyncio.sleep(0)
            for number in range(3):
                board.on_output(f"line {number}\r\n".encode())
                file = await until_written(tmp_path, f"line {number}")
                copy = tmp_path.parent / "copy.cast"
                copy.write_bytes(file.read_bytes())  # what a crash would leave now
                assert replay(copy).decode() == "".join(f"line {index}\r\n" for index in range(number + 1))
            recording.cancel()

    run(test())


def test_a_long_recording_goes_on_in_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FILE_BYTES_MAX", 300)
    monkeypatch.setattr(recorder, "FLUSH_BYTES", 200)

    async def test() -> None:
        board = FakeBoard()
        async with serving(board) as running, asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(running.session, tmp_path))
            for number in range(20):
                await asyncio.sleep(0)
                board.on_output(b"x" * 50 + b"%d\r\n" % number)
                await until_written(tmp_path, f"x{number}\\r")
            recording.cancel()

    run(test())
    files = list(tmp_path.iterdir())
    assert len(files) > 3
    assert sorted(number for file in files for number in replay(file).decode().replace("x", "").split()) == sorted(
        map(str, range(20))
    )


def test_a_disk_that_is_too_slow_holds_up_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with serving(board) as running, asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(running.session, tmp_path))
            await asyncio.sleep(0)
            board.on_output(b"before")
            board.on_output(bytes(BACKLOG_CHARS_MAX))  # more than may wait, before the recorder has had a chance
            await until_written(tmp_path, "output is missing here")
            board.on_output(b"after")
            await until_written(tmp_path, "after")
            recording.cancel()

    run(test())


def test_a_disk_that_fails_ends_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(recorder, "_write", fail)

    async def test() -> None:
        board = FakeBoard()
        async with serving(board) as running, asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(record(running.session, tmp_path))
            await asyncio.sleep(0)
            board.on_output(b"lost")
            await recording

    run(test())
    assert "nothing more is recorded" in caplog.text
    assert "No space left" in caplog.text


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(OpenError, match="cannot record in"):
        check_folder(tmp_path / "file" / "b")


def test_a_lab_records_all_its_boards_while_it_is_asked_to(tmp_path: Path) -> None:
    nowhere = BoardOptions("tcp://127.0.0.1:1")

    async def test() -> None:
        lab = Lab()
        async with lab.run():
            plan = LabPlan({"a": nowhere, "b": nowhere}, (), "secret", record=tmp_path / "casts")
            await lab.apply(plan)
            await asyncio.sleep(0)
            with lab.sessions["a"].serve(FakeBoard()):
                await until_written(tmp_path / "casts", "[a: connected]")
            await lab.apply(replace(plan, boards={"b": nowhere}, record=None))
            await asyncio.sleep(0)
            assert lab.sessions["b"].watchers == []
            (tmp_path / "file").touch()
            with pytest.raises(OpenError, match="cannot record"):
                await lab.apply(replace(plan, record=tmp_path / "file"))

    run(test())
