"""Requests that mean no good: each is refused with the right status, and the server is alive after all of them."""

import io
import socket
import struct
import threading
import time
import zlib
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

JSON = {"content-type": "application/json"}
BYTES = {"content-type": "application/octet-stream"}
ID = "0" * 24


def chunk(kind, data):
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width, height):
    """A PNG of a few bytes that announces a huge picture."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def animation():
    """A GIF of two frames."""
    out = io.BytesIO()
    frames = [Image.effect_noise((16, 16), 80) for _ in range(2)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


CUT = bomb(100, 100)  # most rows are missing
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"

TABLE = {
    # Paths that lead out of where they should
    "traversal in the page's files": ("GET", "/static/../../access.py", {}, None, 404),
    "encoded traversal": ("GET", "/static/%2e%2e%2f%2e%2e%2faccess.py", {}, None, 404),
    "doubly encoded traversal": ("GET", "/static/%252e%252e%252faccess.py", {}, None, 404),
    "backslashes": ("GET", "/static/..\\..\\access.py", {}, None, 400),
    "null byte": ("GET", "/static/studio.js%00.html", {}, None, 400),
    "server file": ("GET", "//etc/passwd", {}, None, 404),
    "source of the page": ("GET", "/static/__init__.py", {}, None, 404),
    "job identifier that is a path": ("GET", "/api/v1/jobs/..%2f..%2f..%2fetc%2fpasswd/result", {}, None, 404),
    "picture identifier that is a path": ("GET", "/api/v1/pictures/..%2f..%2fsecret/image", {}, None, 404),
    "deleting by a path": ("DELETE", "/api/v1/pictures/..", {}, None, 405),
    "negative tile": ("GET", f"/api/v1/jobs/{ID}/zoom/-1/0/0", {}, None, 404),
    "tile that is a path": ("GET", f"/api/v1/jobs/{ID}/zoom/0/0/..%2f..%2fx", {}, None, 404),
    "sample that is a path": ("GET", "/api/v1/samples/..%2fx/image", {}, None, 404),
    "side that is a path": ("GET", f"/api/v1/pictures/{ID}/image?side=../../x", {}, None, 422),
    "input that is a path": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {"content": ["/etc/passwd"], "styles": ["a"]}}',
        404,
    ),
    "input of another scheme": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {"content": ["file:/etc/passwd"], "styles": ["a"]}}',
        404,
    ),
    "input from the network": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {"content": ["http://169.254.169.254/"], "styles": ["a"]}}',
        404,
    ),
    # Uploads that are not pictures
    "SVG": ("POST", "/api/v1/pictures?name=a.svg", {"content-type": "image/svg+xml"}, SVG, 422),
    "HTML called a picture": ("POST", "/api/v1/pictures?name=a.png", {"content-type": "image/png"}, HTML, 422),
    "GIF header on a script": ("POST", "/api/v1/pictures", BYTES, b"GIF89a/*" + HTML, 422),
    "JPEG header on HTML": ("POST", "/api/v1/pictures", BYTES, b"\xff\xd8\xff\xe0" + HTML, 422),
    "zip": ("POST", "/api/v1/pictures", BYTES, b"PK\x03\x04" + b"\0" * 60, 422),
    "nothing": ("POST", "/api/v1/pictures", BYTES, b"", 422),
    "animation": ("POST", "/api/v1/pictures", BYTES, animation(), 422),
    "damaged picture": ("POST", "/api/v1/pictures", BYTES, CUT, 422),
    "decompression bomb": ("POST", "/api/v1/pictures", BYTES, bomb(60_000, 60_000), 422),
    "picture of no pixels": ("POST", "/api/v1/pictures", BYTES, bomb(0, 5), 422),
    "picture just above the limit": ("POST", "/api/v1/pictures", BYTES, bomb(1001, 1000), 422),
    "upload as a form": (
        "POST",
        "/api/v1/pictures",
        {"content-type": "multipart/form-data; boundary=x"},
        b"--x--",
        415,
    ),
    "upload above the limit": ("POST", "/api/v1/pictures", BYTES, b"\0" * ((1 << 20) + 1), 413),
    # Bodies
    "oversized JSON": ("POST", "/api/v1/jobs", JSON, b'{"title": "' + b"a" * 300_000 + b'"}', 413),
    "deeply nested JSON": ("POST", "/api/v1/jobs", JSON, b"[" * 100_000, 400),
    "not JSON": ("POST", "/api/v1/jobs", JSON, b"{inputs", 422),
    "JSON that is a list": ("POST", "/api/v1/jobs", JSON, b"[]", 422),
    "not UTF-8": ("POST", "/api/v1/jobs", JSON, b'{"title": "\xff\xfe"}', 400),
    "unknown field": ("POST", "/api/v1/jobs", JSON, b'{"inputs": {}, "owner": "bob"}', 422),
    "unknown task": ("POST", "/api/v1/jobs", JSON, b'{"task": "__import__", "inputs": {}}', 422),
    "a thousand styles": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {"styles": [' + b'"sample:rocket",' * 999 + b'"a"]}}',
        422,
    ),
    "infinite strength": ("POST", "/api/v1/jobs", JSON, b'{"inputs": {}, "settings": {"strength": Infinity}}', 422),
    "form that a foreign page can send": ("POST", "/api/v1/jobs", {"content-type": "text/plain"}, b"{}", 415),
    "form fields": (
        "POST",
        f"/api/v1/jobs/{ID}/cancel",
        {"content-type": "application/x-www-form-urlencoded"},
        b"a=1",
        415,
    ),
    "page size of a billion": ("GET", "/api/v1/jobs?limit=1000000000", {}, None, 422),
    "SQL in the search": ("GET", "/api/v1/jobs?search=%27%20OR%201%3D1%20--", {}, None, 200),
    "SQL in the page": ("GET", "/api/v1/jobs?before=%27%20OR%201%3D1", {}, None, 422),
    # Other sites, and other names for this one
    "name of another server (rebinding)": ("GET", "/", {"host": "evil.example"}, None, 421),
    "name that ends in ours": ("GET", "/", {"host": "127.0.0.1.evil.example"}, None, 421),
    "name with a user": ("GET", "/", {"host": "127.0.0.1@evil.example"}, None, 421),
    "address of the network": ("GET", "/api/v1/jobs", {"host": "192.168.1.7"}, None, 421),
    "foreign origin": ("POST", "/api/v1/jobs", {**JSON, "origin": "https://evil.example"}, b"{}", 403),
    "no origin at all (sandboxed page)": ("POST", "/api/v1/jobs", {**JSON, "origin": "null"}, b"{}", 403),
    "origin that is no address": ("POST", "/api/v1/jobs", {**JSON, "origin": "http://["}, b"{}", 400),
    "host that is no address": ("GET", "/", {"host": "["}, None, 421),
    "half a letter in a title": ("POST", "/api/v1/jobs", JSON, b'{"inputs": {}, "title": "\\ud800"}', 422),
    "half a letter in a setting": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {}, "settings": {"\\ud800": "\\ud800", "network": "\\ud800", "pooling": "\\ud800"}}',
        422,
    ),
    "half a letter as a setting": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {}, "settings": {"pooling": "\\ud800"}}',
        422,
    ),
    "half a letter as a reference": ("POST", "/api/v1/jobs", JSON, b'{"inputs": {"content": ["\\ud800"]}}', 422),
    "number of four thousand digits": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {}, "settings": {"size": ' + b"9" * 4000 + b"}}",
        422,
    ),
    "number of five thousand digits": (
        "POST",
        "/api/v1/jobs",
        JSON,
        b'{"inputs": {}, "settings": {"size": ' + b"9" * 5000 + b"}}",
        400,
    ),
    "event beyond all numbers": ("GET", f"/api/v1/jobs/{ID}/events?after={10**30}", {}, None, 422),
    "tile beyond all numbers": ("GET", f"/api/v1/jobs/{ID}/zoom/{10**30}/0/0", {}, None, 404),
    "null byte in the search": ("GET", "/api/v1/jobs?search=%00", {}, None, 200),
    "cookie of another grammar": ("GET", "/api/v1/jobs", {"cookie": 'a=[;;"=\\'}, None, 200),
    "origin on another port": ("POST", "/api/v1/jobs", {**JSON, "origin": "http://127.0.0.1:1"}, b"{}", 403),
    "picture in a foreign page": ("GET", f"/api/v1/jobs/{ID}/result", {"sec-fetch-site": "cross-site"}, None, 403),
    "page of a neighboring port": ("GET", "/api/v1/jobs", {"sec-fetch-site": "same-site"}, None, 403),
    "foreign page deleting": ("DELETE", f"/api/v1/jobs/{ID}", {"sec-fetch-site": "cross-site"}, None, 403),
    # Headers and methods
    "method override": ("GET", "/api/v1/jobs", {"x-http-method-override": "DELETE"}, None, 400),
    "rewritten address": ("GET", "/", {"x-original-url": "/api/v1/jobs"}, None, 400),
    "unknown method": ("TRACE", "/api/v1/jobs", {}, None, 405),
    "deleting everything": ("DELETE", "/api/v1/jobs", {}, None, 405),
    "writing the page": ("PUT", "/static/studio.js", {}, None, 405),
    "range that makes no sense": ("GET", "/api/v1/jobs?limit=-5", {}, None, 422),
    "job of nobody": ("POST", f"/api/v1/jobs/{ID}/stop", JSON, b"{}", 404),
    "viewer from a network": ("GET", "/docs", {}, None, 404),
    "server's description elsewhere": ("GET", "/openapi.json", {}, None, 404),
}


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_hostile_request(studio, case):
    """The status is the right one, the answer says nothing of the server, and its headers let nothing run."""
    method, path, headers, body, expected = TABLE[case]
    url = httpx.URL(studio.address).copy_with(raw_path=path.encode())
    with httpx.Client(timeout=20) as client:
        answer = client.request(method, url, headers=headers, content=body)
    assert answer.status_code == expected, answer.text
    assert "traceback" not in answer.text.lower()
    assert "/src/" not in answer.text
    assert "root:" not in answer.text
    assert not answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def exchanged(address, *parts, pause=0.0, wait=6.0):
    """What a server answers to bytes that come in parts."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=wait) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part.replace(b"HOST", place.netloc.encode()))
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered and closed already
        try:
            while data := connection.recv(65536):
                answer += data
        except (TimeoutError, ConnectionResetError):
            pass
        return answer


POST = b"POST /api/v1/jobs HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
RAW = {
    "length and chunks (smuggling)": (
        [POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
        400,
    ),
    "two lengths": ([POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"], 400),
    "length that is no number": ([POST + b"Content-Length: +5\r\n\r\nabcde"], 400),
    "length of five thousand digits": ([POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"], 400),
    "two hosts": ([b"GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\n\r\n"], 400),
    "no host": ([b"GET / HTTP/1.1\r\n\r\n"], 400),
    "header that never ends": ([b"GET / HTTP/1.1\r\nHost: HOST\r\nX: " + b"a" * 200_000], 400),
    "not HTTP": ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"], 400),
    "line feed in a header": ([b"GET / HTTP/1.1\r\nHost: HOST\r\nX: a\nSet-Cookie: b\x00c\r\n\r\n"], 400),
    "body that stops": ([POST + b"Content-Length: 50\r\n\r\n{"], 408),
    "chunks without end": (
        [POST.replace(b"jobs", b"pictures").replace(b"json", b"octet-stream") + b"Transfer-Encoding: chunked\r\n\r\n"]
        + [b"40000\r\n" + b"\0" * 0x40000 + b"\r\n"] * 5,
        413,
    ),
}


@pytest.mark.parametrize("case", RAW, ids=str)
def test_hostile_bytes(studio, case):
    """What no client library sends is refused as well."""
    parts, expected = RAW[case]
    answer = exchanged(studio.address, *parts)
    assert answer.startswith(b"HTTP/1.1 %d" % expected), answer[:200]


def test_a_dripping_body_is_given_up(studio):
    """A body that comes byte by byte is not waited for longer than its time."""
    answer = exchanged(studio.address, POST + b"Content-Length: 50\r\n\r\n", *[b" "] * 20, pause=0.2)
    assert b" 408 " in answer[:20]


def test_a_request_that_never_comes_is_given_up(studio, monkeypatch):
    """A connection on which only half a head arrives is closed."""
    monkeypatch.setattr("impasto.studio.server.HeadTimeoutProtocol.head_seconds", 0.5)
    place = urlsplit(studio.address)
    with socket.create_connection((place.hostname, place.port), timeout=240) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(1) == b""


def test_a_polyglot_is_only_ever_a_picture(http, png):
    """HTML behind a real picture is taken in, and never comes out again: pages get a copy of the pixels."""
    answer = http.post("/pictures?name=<img src=x onerror=alert(1)>", content=png(seed=9) + HTML, headers=BYTES)
    assert answer.status_code == 201
    item = answer.json()
    assert item["name"] == "<img src=x onerror=alert(1)>"  # words, which the page puts into text nodes alone
    for side in ("small", "large"):
        shown = http.get(f"/pictures/{item['id']}/image", params={"side": side})
        assert shown.headers["content-type"] == "image/jpeg"
        assert b"<script" not in shown.content


def test_names_are_one_line_of_text(http, png):
    """Control characters, and tricks with the direction of writing, do not get through."""
    name = "a\r\nSet-Cookie: x\x00\u202egnp.exe" + "b" * 300
    item = http.post("/pictures", params={"name": name}, content=png(seed=10), headers=BYTES).json()
    assert item["name"].isprintable()
    assert len(item["name"]) <= 120


def test_a_title_cannot_break_a_header(http, bring, until):
    """The name of a download is made of letters and numbers."""
    inputs = {"content": [bring(http)], "styles": [bring(http, 1)]}
    body = {
        "inputs": inputs,
        "settings": {"size": 64, "coarsest": 64},
        "title": 'x"\r\nSet-Cookie: a=b; filename=evil.exe',
    }
    identifier = http.post("/jobs", json=body).json()["id"]
    until(http, identifier, "done")
    answer = http.get(f"/jobs/{identifier}/result", params={"download": True})
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"] == 'attachment; filename="x--Set-Cookie--a-b--filename-evil-exe.png"'


def test_concurrent_cancels(http, studio, submit):
    """Of many cancels at the same time one is heeded and the others are told so."""
    studio.painter.holding.set()
    identifier, codes = submit(http)["id"], []

    def cancel():
        codes.append(httpx.post(f"{studio.address}/api/v1/jobs/{identifier}/cancel", timeout=20).status_code)

    threads = [threading.Thread(target=cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    studio.painter.holding.clear()
    assert sorted(codes) == [200] + [409] * 7


def test_the_server_lives(http, studio, submit, until):
    """After all of that it makes a picture, and holds no unfinished upload."""
    until(http, submit(http)["id"], "done")
    assert list((studio.service.folder / "incoming").iterdir()) == []
    assert len(TABLE) + len(RAW) >= 40
