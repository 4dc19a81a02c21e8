"""``impasto studio``: what is refused before anything listens, and that it opens at once."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from impasto.cli import main


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--host", "0.0.0.0"], "needs a key"),
        (["--key-file", "missing.txt"], "cannot be read"),
        (["--certificate", "a.pem"], "belong together"),
        (["--certificate", "a.pem", "--certificate-key", "b.pem"], "does not exist"),
        (["--port", "70000"], "cannot be used"),
        (["--workers", "-1"], "0"),
        (["--max-side", "0"], "0"),
    ],
)
def test_what_cannot_work_is_refused(arguments, problem, capsys, tmp_path, monkeypatch):
    """One sentence, exit code 2, and nothing was opened."""
    monkeypatch.chdir(tmp_path)
    assert main(["studio", "--home", str(tmp_path), "--no-browser", *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_a_taken_port_is_said(capsys, tmp_path):
    """With the way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert main(["studio", "--home", str(tmp_path), "--no-browser", "--port", port]) == 2
    assert "give another --port" in capsys.readouterr().err


def test_two_keys_are_one_too_many(capsys, tmp_path, monkeypatch):
    """A key in a file and one in the environment."""
    monkeypatch.setenv("IMPASTO_STUDIO_KEY", "a key that is long enough")
    (tmp_path / "key").write_text("another key that is long")
    assert main(["studio", "--home", str(tmp_path), "--no-browser", "--key-file", str(tmp_path / "key")]) == 2
    assert "both given" in capsys.readouterr().err


def started_by(process):
    """The first process that a process has started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this system does not tell which processes a process has started")
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for found in Path(f"/proc/{process.pid}/task").glob("*/children"):
            if words := found.read_text().split():
                return words[0]
        time.sleep(0.1)
    pytest.fail("no worker was started")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_opens_and_closes(tmp_path, ending):
    """The page is there in moments; a signal ends it in order, its worker and a watching stream included."""
    command = [sys.executable, "-m", "impasto", "studio", "--home", str(tmp_path), "--port", "0", "--no-browser"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        address = re.search(r"http://[\d.:]+", process.stdout.readline())[0]
        assert "impasto" in httpx.get(address).text
        with httpx.stream("GET", f"{address}/api/v1/events") as answer:
            assert answer.status_code == 200
            worker = started_by(process)
            process.send_signal(ending)
            assert process.wait(200) == 0
            assert not Path(f"/proc/{worker}").exists()
    finally:
        process.kill()
        process.communicate()


def test_starting_waits_for_no_torch():
    """What takes seconds to import is imported behind the open door."""
    code = "import sys, impasto.studio.server, impasto.jobs.queue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def opened_with(room, browser, script):
    """A studio that finds this browser, and the file that the browser leaves when it is called."""
    program, called = room / browser, room / "called"
    program.write_text(f"#!/bin/sh\necho $$ > {shlex.quote(str(called))}\n{script}\n")
    program.chmod(0o755)
    command = [sys.executable, "-m", "impasto", "studio", "--home", str(room / "home"), "--port", "0", "--workers", "0"]
    surroundings = {**os.environ, "BROWSER": f"{shlex.quote(str(program))} %s", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings
    ), called


@pytest.mark.skipif(os.name == "nt", reason="browsers are scripts here")
@pytest.mark.parametrize(("browser", "is_called"), [("stays-open", True), ("lynx", False)])
def test_no_browser_holds_the_server_up(tmp_path, browser, is_called):
    """One that does not come back is left alone, and one for terminals is not called: it would take this one."""
    process, called = opened_with(tmp_path, browser, "exec sleep 200 >/dev/null 2>&1")
    try:
        address = re.search(r"http://[\d.:]+", process.stdout.readline())[0]
        assert "impasto" in httpx.get(address, timeout=60).text
        end = time.monotonic() + 20
        while is_called and not (called.exists() and called.read_text()) and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        assert called.exists() is is_called
    finally:
        if called.exists():
            os.kill(int(called.read_text()), signal.SIGKILL)
        process.kill()
        process.communicate()
