"""Who gets in, and what they get to see."""

import re
import time

import httpx
import pytest

from impasto.errors import SettingsError
from impasto.studio.access import COOKIE, Access, keys_from
from impasto.studio.server import ServerConfig

KEY = "a key that is long enough"


def test_everything_needs_a_key(users):
    """The API, its description, pictures and streams; the page leads to the one that asks for the key."""
    for path in (
        "/jobs",
        "/pictures",
        "/samples",
        "/events",
        "/openapi.json",
        "/settings",
        "/session",
        "/jobs/x/result",
    ):
        assert users["nobody"].get(path).status_code == 401, path
    root = str(users["nobody"].base_url).removesuffix("/api/v1/")
    assert httpx.get(f"{root}/static/studio.js").status_code == 401
    assert httpx.get(f"{root}/").headers["location"] == "login"  # beside it, wherever a proxy has put it
    assert httpx.get(f"{root}/login").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic YWRhOmFkYQ=="},
        {"cookie": f"{COOKIE}=forged"},
        {"cookie": f"{COOKIE}="},
        {"x-forwarded-user": "ada"},
    ],
)
def test_forged_keys(locked, headers):
    """What is not a key opens nothing."""
    assert httpx.get(f"{locked.address}/api/v1/jobs", headers=headers).status_code == 401


def test_a_session_ends_for_good(locked):
    """A cookie opens the studio until the logout, after which it can be replayed in vain."""
    base = f"{locked.address}/api/v1"
    answer = httpx.post(f"{base}/session", json={"key": "ada's long secret key"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    headers = {"cookie": cookie.partition(";")[0]}
    assert httpx.get(f"{base}/session", headers=headers).json()["user"] == "ada"
    assert httpx.delete(f"{base}/session", headers=headers).status_code == 204
    assert httpx.get(f"{base}/session", headers=headers).status_code == 401


def test_what_is_anothers_does_not_exist(users, submit, until):
    """Jobs and pictures of one user are not there for another, by whatever name."""
    ada, bob = users["ada"], users["bob"]
    job = submit(ada)
    until(ada, job["id"], "done")
    picture = ada.get("/pictures").json()[0]["id"]
    for path in ("", "/result", "/preview", "/image", "/recipe", "/events", "/zoom", "/inputs/content/0"):
        assert bob.get(f"/jobs/{job['id']}{path}").status_code == 404, path
    for verb in ("pause", "stop", "cancel", "retry", "more", "again"):
        assert bob.post(f"/jobs/{job['id']}/{verb}", json={}).status_code == 404, verb
    assert bob.post(f"/jobs/{job['id']}/adjust", json={"settings": {}}).status_code == 404
    assert bob.delete(f"/jobs/{job['id']}").status_code == 404
    assert bob.get(f"/pictures/{picture}/image").status_code == 404
    assert bob.delete(f"/pictures/{picture}").status_code == 404
    for stolen in (picture, f"result:{job['id']}"):
        assert bob.post("/jobs", json={"inputs": {"content": [stolen], "styles": [stolen]}}).status_code == 404
    assert bob.get("/jobs").json()["jobs"] == []
    assert ada.get(f"/jobs/{job['id']}").status_code == 200


def test_quotas(locked, users, bring, submit):
    """Nobody queues more jobs, or keeps more bytes, than one may; others are not held up by it."""
    locked.painter.holding.set()
    try:
        bob = users["bob"]
        for _ in range(3):
            submit(bob)
        inputs = {"content": [bring(bob)], "styles": [bring(bob, 1)]}
        refused = bob.post("/jobs", json={"inputs": inputs, "settings": {"size": 64}})
        assert refused.status_code == 429
        assert "3 jobs" in refused.json()["error"]
        full = [bob.post("/pictures", content=_noise(seed), headers={"content-type": "image/png"}) for seed in range(9)]
        assert full[-1].status_code == 507
        assert users["ada"].get("/session").status_code == 200
    finally:
        locked.painter.holding.clear()


def _noise(seed):
    import io

    import numpy as np
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (120, 160, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_guessing_is_slowed_down():
    """After some wrong keys an address must wait, with the right one too; another need not."""
    access = Access.of({"": KEY})
    for _ in range(8):
        assert access.user_of_key("wrong", "10.0.0.1") is None
    with pytest.raises(TimeoutError):
        access.user_of_key(KEY, "10.0.0.1")
    assert access.user_of_key(KEY, "10.0.0.2") == ""


def test_sessions_expire(monkeypatch):
    """They are good for two weeks."""
    access = Access.of({"": KEY})
    token = access.open_session("")
    assert access.user_of_session(token) == ""
    later = time.time() + 15 * 24 * 3600
    monkeypatch.setattr("time.time", lambda: later)
    assert access.user_of_session(token) is None


def test_keys_come_from_a_file(tmp_path):
    """One key, or one per user."""
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{KEY}\n")
    assert keys_from(file) == {"": KEY}
    file.write_text(f"{KEY}\n", encoding="utf-8-sig")  # as some editors do
    assert keys_from(file) == {"": KEY}
    file.write_text("ada: first key of two\nbob: second key of two\n")
    assert keys_from(file) == {"ada": "first key of two", "bob": "second key of two"}
    for wrong in ("", "a: x\na: y", "one\ntwo", "ada:"):
        file.write_text(wrong)
        with pytest.raises(SettingsError, match="needs one key alone"):
            keys_from(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        keys_from(tmp_path / "none")
    with pytest.raises(SettingsError, match="cannot be read"):
        keys_from(tmp_path / "a\0b")


@pytest.mark.parametrize(("keys", "problem"), [({"": "short"}, "at least 12"), ({"a": KEY, "b": KEY}, "the same key")])
def test_keys_must_be_good(keys, problem):
    """Long enough to withstand guessing, and each of one user."""
    with pytest.raises(SettingsError, match=problem):
        Access.of(keys)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_others_need_a_key(host):
    """A studio that other machines can reach does not open without one."""
    with pytest.raises(SettingsError, match="needs a key"):
        ServerConfig(host=host).check()
    ServerConfig(host=host, access=Access.of({"": KEY})).check()
    ServerConfig(host="127.0.0.1").check()


def test_nothing_leads_out_of_the_path_that_a_proxy_gives(locked):
    """Files, addresses and redirections of the pages are relative; the cookie is for encrypted pages if the page is one."""
    pages = [httpx.get(f"{locked.address}/login").text]
    with httpx.Client(base_url=locked.address, headers={"authorization": "Bearer ada's long secret key"}) as ada:
        pages += [ada.get(path).text for path in ("/", "/api", "/static/studio.webmanifest")]
    assert not [page for page in pages if re.search(r"""(href|src|url)"?[=:]\s*"/""", page)]
    assert httpx.get(f"{locked.address}/").headers["location"] == "login"
    name = locked.address.removeprefix("http://")
    for scheme, secure in (("https", True), ("http", False)):
        headers = {"origin": f"{scheme}://{name}"}
        answer = httpx.post(f"{locked.address}/api/v1/session", json={"key": "ada's long secret key"}, headers=headers)
        assert ("; Secure" in answer.headers["set-cookie"]) is secure
