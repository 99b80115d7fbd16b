"""curl with the examples of docs/rest.md and of CircuitPython's docs/workflows.md, against a real MicroPython."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clients.conftest import Bridge

DOCS = Path(__file__).parents[2] / "docs/rest.md"
HOST = "http://circuitpython.local"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def curl(bridge: Bridge, folder: Path, command: str) -> Answer:
    """Run an example as it stands, with the bridge for the host; the last answer if it is sent on."""
    words = shlex.split(command.replace("passw0rd", bridge.password))
    assert words[0] == "curl"
    there = ["--connect-to", f"circuitpython.local:80:{bridge.host}:{bridge.port}", "--silent", "--max-time", "20"]
    done = subprocess.run(
        ["curl", *there, "--output", "body", "--write-out", "%{http_code} %{header_json}", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    body = folder / "body"
    status, _, headers = done.stdout.partition(" ")
    text = body.read_text() if body.exists() else ""
    body.unlink(missing_ok=True)
    return Answer(int(status), {name: value[-1] for name, value in json.loads(headers).items()}, text)


def test_the_examples_of_the_documentation(bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("Hello world\n")
    (bridge.folder / "lib").mkdir()

    def run(command: str) -> Answer:
        return curl(bridge, tmp_path, command)

    base = "-L --location-trusted http://circuitpython.local"
    options = run(f"curl -v -u :passw0rd -X OPTIONS {base}/fs/")
    assert options.status == 204
    assert options.headers["access-control-allow-methods"] == "GET, HEAD, PUT, DELETE, MOVE, OPTIONS"
    assert run(f"curl -v -u :passw0rd -X PUT {base}/fs/lib/hello/").status == 201
    assert run(f"curl -v -u :passw0rd -X PUT {base}/fs/lib/hello/world/").status == 201
    assert run(f"curl -v -u :passw0rd -X PUT {base}/fs/lib/hello/world/").status == 204
    assert run(f"curl -v -u :passw0rd -X PUT {base}/fs/lib/none/world/").status == 404
    assert run(f"curl -v -u :passw0rd -T test.txt {base}/fs/lib/hello/world.txt").status == 201
    assert run(f"curl -v -u :passw0rd -T test.txt {base}/fs/lib/hello/world.txt").status == 204
    listed = run(f'curl -v -u :passw0rd -H "Accept: application/json" {base}/fs/lib/hello/')
    assert listed.status == 200
    world, text = json.loads(listed.body)["files"]
    assert (world["name"], world["directory"], world["file_size"]) == ("world", True, 0)
    assert (text["name"], text["directory"], text["file_size"]) == ("world.txt", False, 12)
    assert text["modified_ns"] == (bridge.folder / "lib/hello/world.txt").stat().st_mtime_ns // 10**9 * 10**9
    got = run(f"curl -v -u :passw0rd {base}/fs/lib/hello/world.txt")
    assert (got.status, got.body) == (200, "Hello world\n")
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    move = f'curl -v -u :passw0rd -X MOVE -H "X-Destination: /fs/lib/hello/world2.txt" {base}/fs/lib/hello/world.txt'
    assert run(move).status == 201
    assert run(move).status == 404
    assert run(f"curl -v -u :passw0rd -T test.txt {base}/fs/lib/hello/world.txt").status == 201
    assert run(move).status == 412
    assert run(f"curl -v -u :passw0rd -X DELETE {base}/fs/lib/hello/world2.txt").status == 204
    assert run(f"curl -v -u :passw0rd -X DELETE {base}/fs/lib/hello/world2.txt").status == 404
    move = f'curl -v -u :passw0rd -X MOVE -H "X-Destination: /fs/lib/hello2/" {base}/fs/lib/hello/'
    assert run(move).status == 201
    assert run(f"curl -v -u :passw0rd -X DELETE {base}/fs/lib/hello2/world/").status == 204
    assert [str(path.relative_to(bridge.folder)) for path in sorted(bridge.folder.rglob("*"))] == [
        *("lib", "lib/hello2", "lib/hello2/world.txt")
    ]
    assert run(f"curl -v -u :passw0rd -X DELETE {base}/fs/lib/hello2/").status == 204
    assert not list((bridge.folder / "lib").iterdir())


def test_our_own_examples(bridge: Bridge, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('hello')\n")
    blocks = "".join(re.findall(r"^```\n(\$.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL))
    examples = re.findall(r"^\$ curl (.*)\n((?:[^$].*\n)*)", blocks, re.MULTILINE)
    assert len(examples) > 10
    there = ["--connect-to", f"localhost:8266:{bridge.host}:{bridge.port}", "--silent", "--show-error"]
    for command, output in examples:
        words = shlex.split(command.replace("/lab1/", "/unix/"))
        done = subprocess.run(["curl", *there, *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == output.strip(), command
    assert (tmp_path / "copy.py").read_text() == "print('hello')\n"


def test_what_it_says_of_itself(bridge: Bridge, tmp_path: Path) -> None:
    base = "-L http://circuitpython.local"
    assert json.loads(curl(bridge, tmp_path, f"curl -v {base}/cp/devices.json").body) == {"total": 0, "devices": []}
    version = json.loads(curl(bridge, tmp_path, f"curl -v -u :passw0rd {base}/cp/version.json").body)
    assert (version["web_api_version"], version["board_id"], version["port"]) == (4, "unix", bridge.port)
    assert version["version"].startswith("1.")
    assert curl(bridge, tmp_path, f"curl -v {base}/cp/diskinfo.json").status == 401
    (disk,) = json.loads(curl(bridge, tmp_path, f"curl -v -u :passw0rd {base}/cp/diskinfo.json").body)
    assert (disk["root"], disk["writable"]) == ("/", True)
    assert 0 < disk["free"] <= disk["total"]
    assert curl(bridge, tmp_path, f"curl -v -X POST {base}/cp/version.json").status == 405


def test_parts_and_conditions(bridge: Bridge, tmp_path: Path) -> None:
    body = bytes(range(32, 127)) * 40
    (bridge.folder / "a b+ü.txt").write_bytes(body)
    where = f"-L -u :passw0rd {HOST}/fs/a%20b+%C3%BC.txt"
    whole = curl(bridge, tmp_path, f"curl {where}")
    tag = whole.headers["etag"]
    part = curl(bridge, tmp_path, f"curl -r 3700- {where}")
    assert (part.status, part.body.encode()) == (206, body[3700:])
    assert part.headers["content-range"] == "bytes 3700-3799/3800"
    (tmp_path / "body").write_bytes(body[:1000])
    assert curl(bridge, tmp_path, f"curl -C - {where}").body.encode() == body
    assert curl(bridge, tmp_path, f"curl -r 3800- {where}").status == 416
    assert curl(bridge, tmp_path, f"curl -H 'If-None-Match: {tag}' {where}").status == 304
    head = curl(bridge, tmp_path, f"curl -I {where}")
    assert (head.status, head.headers["content-length"], head.headers["etag"]) == (200, "3800", tag)
    (tmp_path / "new").write_text("new")
    assert curl(bridge, tmp_path, f"curl -T new -H 'If-None-Match: *' {where}").status == 412
    assert curl(bridge, tmp_path, f"curl -T new -H 'If-Match: {tag}' {where}").status == 204
    assert curl(bridge, tmp_path, f"curl -T new -H 'If-Match: {tag}' {where}").status == 412
    assert (bridge.folder / "a b+ü.txt").read_text() == "new"


def test_refusals(bridge: Bridge, tmp_path: Path) -> None:
    (bridge.folder / "lib").mkdir()
    (tmp_path / "x").write_bytes(bytes(2_000_000))

    def status(options: str, path: str = "x") -> int:
        return curl(bridge, tmp_path, f"curl -L --path-as-is {options} {HOST}/fs/{path}").status

    assert status("") == 401
    assert status("-u :wrong") == 401
    assert status("-H 'Authorization: Bearer passw0rd'") == 404
    assert status("-u :passw0rd -H 'Origin: https://evil.example'") == 403
    assert status("-u :passw0rd -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: no-cors'") == 403
    assert status("-u :passw0rd", "../x") == 400
    assert status("-u :passw0rd -X DELETE", "") == 403
    assert status("-u :passw0rd -X DELETE", "lib") == 404
    assert status("-u :passw0rd", "lib") == 404
    assert status("-u :passw0rd", "none/") == 404
    assert status("-u :passw0rd -T x", "lib") == 409
    assert status("-u :passw0rd -T x -H 'Transfer-Encoding: chunked'", "y") == 411
    assert status("-u :passw0rd -T x -H 'Content-Range: bytes 0-9/*'", "y") == 400
    assert status("-u :passw0rd -X MOVE", "lib/") == 400
    assert status("-u :passw0rd -T x") == 201
    assert (bridge.folder / "x").stat().st_size == 2_000_000
    assert status("-u :passw0rd", "x/") == 404
    assert status("-u :passw0rd -X DELETE", "x/") == 404
    assert status("-u :passw0rd -X PUT", "x/") == 409
