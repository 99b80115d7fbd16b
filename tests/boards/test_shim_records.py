"""Records beyond the standard's, served by the shim beside a program; on the unix VM, whose files are at hand."""

from __future__ import annotations

import random
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path

import pytest

from board_kit.unix_shim import shim_on_stream
from shim_kit import Host, open_host
from webrepl_link import records
from webrepl_link.records import DEEP, DIRECTORY, FILE, HASHED, KEEP, Entry

ENOENT, EEXIST, ENOTDIR, EISDIR, EINVAL, ENOSYS, ENOTEMPTY = 2, 17, 20, 21, 22, 38, 39
DATA = random.Random(1).randbytes(10_000)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "data.bin").write_bytes(DATA)
    (tmp_path / "lib" / "deep" / "žluť.py").write_bytes(b"x")
    with shim_on_stream(tmp_path, "socket") as url, open_host(url) as host:
        host.connect()
        yield host


def names(host: Host, top: str, flags: int = 0) -> list[str]:
    host.request(records.LIST, top, flags=flags)
    listed = host.receive_file()
    assert isinstance(listed, bytes)
    return sorted(entry.name.decode() for entry in records.decode_list(listed))


def stat(host: Host, name: str, flags: int = 0) -> Entry | int:
    host.request(records.STAT, name, flags=flags)
    return host.reply() or records.decode_entry(host.read(records.ENTRY_BYTES))


def test_list(host: Host, tmp_path: Path) -> None:
    assert names(host, "") == names(host, ".") == ["data.bin", "lib"]
    assert names(host, "lib") == names(host, "lib/") == ["deep"]
    assert names(host, "", DEEP) == ["data.bin", "lib", "lib/deep", "lib/deep/žluť.py"]
    for number in range(300):
        (tmp_path / "lib" / f"{number:040}").touch()
    assert len(names(host, "", DEEP)) == 304
    host.request(records.LIST, "missing")
    assert host.receive_file() == ENOENT
    host.request(records.LIST, "", flags=HASHED)
    listed = host.receive_file()
    assert isinstance(listed, bytes)
    by_name = {entry.name: entry for entry in records.decode_list(listed)}
    assert by_name[b"data.bin"].crc == crc32(DATA)
    assert by_name[b"lib"].kind == DIRECTORY


def test_stat(host: Host, tmp_path: Path) -> None:
    found = stat(host, "data.bin")
    assert isinstance(found, Entry)
    assert (found.kind, found.size, found.crc) == (FILE, len(DATA), 0)
    assert found.time == int((tmp_path / "data.bin").stat().st_mtime)
    hashed = stat(host, "data.bin", HASHED)
    assert isinstance(hashed, Entry)
    assert hashed.crc == crc32(DATA)
    for name in ("lib", ""):
        directory = stat(host, name)
        assert isinstance(directory, Entry)
        assert (directory.kind, directory.size) == (DIRECTORY, 0)
    assert stat(host, "missing") == ENOENT


def test_trees(host: Host, tmp_path: Path) -> None:
    assert host.ask(records.MAKE_DIRECTORY, "lib") == EEXIST
    assert host.ask(records.MAKE_DIRECTORY, "a/b/c") == ENOENT
    for _ in range(2):
        assert host.ask(records.MAKE_DIRECTORY, "a/b/c", flags=DEEP) == 0
    assert host.ask(records.MAKE_DIRECTORY, "data.bin/x", flags=DEEP) in (EEXIST, ENOTDIR)
    assert host.ask(records.REMOVE, "a") == EISDIR
    assert host.ask(records.REMOVE, "a", flags=DEEP) == 0
    assert host.ask(records.REMOVE, "lib", flags=DEEP) == 0
    assert host.ask(records.REMOVE, "missing") == ENOENT
    assert host.ask(records.REMOVE_DIRECTORY, "data.bin") == ENOTDIR
    assert host.ask(records.MAKE_DIRECTORY, "empty") == 0
    assert host.ask(records.REMOVE_DIRECTORY, "empty") == 0
    assert host.ask(records.RENAME, "data.binother", len("data.bin")) == 0
    assert host.ask(records.RENAME, "data.binother", len("data.bin")) == ENOENT
    assert [file.name for file in tmp_path.iterdir()] == ["other"]
    assert host.ask(records.REMOVE, "other") == 0
    assert not list(tmp_path.iterdir())


def test_names_longer_than_the_standard_allows(host: Host, tmp_path: Path) -> None:
    name = "/".join(("d" * 60,) * 5)
    assert host.ask(records.MAKE_DIRECTORY, name, flags=DEEP) == 0
    assert (tmp_path / name).is_dir()
    host.request(records.PUT_PART, f"{name}/file", len(DATA))
    assert host.send_file(DATA) == 0
    host.request(records.GET_PART, f"{name}/file", 0xFFFFFFFF)
    assert host.receive_file() == DATA
    assert host.ask(records.RENAME, f"{name}/filex", len(f"{name}/file")) == 0


def test_space(host: Host) -> None:
    host.request(records.SPACE)
    assert host.reply() == 0
    total, free = records.decode_space(host.read(records.SPACE_BYTES))
    assert 0 < free < total


def test_parts_of_a_file(host: Host) -> None:
    for offset, size in ((0, 10), (5000, 100), (9990, 100), (10_000, 5), (20_000, 5), (0, 0xFFFFFFFF)):
        host.request(records.GET_PART, "data.bin", size, offset)
        assert host.receive_file() == DATA[offset : offset + size]


def test_a_put_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    host.request(records.PUT_PART, "new.bin", len(DATA), flags=KEEP)
    assert host.reply() == 0
    host.link.send_binary(DATA[:6000])
    host.link.send_control(b"A" + (6000).to_bytes(4, "little"))
    assert host.reply() == 125
    kept = (tmp_path / "new.bin~").read_bytes()
    assert DATA.startswith(kept)
    assert not (tmp_path / "new.bin").exists()
    host.request(records.PUT_PART, "new.bin", len(DATA), 1, KEEP)
    assert host.reply() == EINVAL
    host.request(records.PUT_PART, "new.bin", len(DATA) - len(kept), len(kept), KEEP)
    assert host.send_file(DATA[len(kept) :]) == 0
    assert (tmp_path / "new.bin").read_bytes() == DATA
    assert not (tmp_path / "new.bin~").exists()


def test_what_is_not_there(host: Host) -> None:
    assert host.ask(13, "x") == ENOSYS
    assert host.ask(records.MAKE_DIRECTORY, "x", flags=HASHED) == EINVAL
    assert host.ask(records.STAT, "data.bin", flags=128) == EINVAL
    host.link.send_binary(records.encode_request(records.Request(records.REMOVE, b"\xff")))
    assert host.reply() == EINVAL
    assert stat(host, "data.bin")
