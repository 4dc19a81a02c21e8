"""Signals: the first keeps the best picture, the second aborts."""

import json
import os
import pty
import re
import signal

import pytest

from impasto import images
from impasto.cli.terminal.interruption import Interruption


@pytest.fixture
def endless(fast):
    """A command line whose run lasts for hours."""
    words = ("stylize", "photo.png", "painting.png", "-o", "out.png", "--json")
    options = [*fast]
    options[3], options[5] = "64", "1000000"  # one level, and no end to it
    return (*words, *options, "--settle", "0")


def until(stream, text):
    """Read lines until one holds the text, and return it."""
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"{text!r} never came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_keeps_the_best_picture(start, room, endless, number):
    """The run stops at the next step, saves a whole picture, says so, and exits with 130."""
    process = start(*endless)
    until(process.stderr, b"level 1/1 64x48")
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert b"Stopping after this step" in err
    assert b"Stopped on level 1" in err
    assert b"the best picture is in out.png" in err
    assert images.read("out.png").shape == (48, 64)
    assert json.loads(out)["complete"] is False
    assert images.read_recipe("out.png")["complete"] is False


def test_what_torchrun_passes_on_is_no_second_signal(monkeypatch):
    """Its processes get Ctrl-C from the terminal and once more from torchrun; a later one aborts."""
    said = []
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with Interruption(lambda: said.append("stopping")) as interruption:
        interruption.expect_picture()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked
        assert said == ["stopping"]
        interruption.echo = 0.0
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_signal_aborts(start, room, endless):
    """Two signals end the program at once, with a whole picture or none, and no scraps."""
    process = start(*endless, "--watch", "now.png")
    until(process.stderr, b"level 1/1 64x48")
    process.send_signal(signal.SIGINT)
    until(process.stderr, b"Stopping")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert {path.name for path in room.iterdir()} <= {"photo.png", "painting.png", "out.png", "now.png"}
    if (room / "out.png").exists():
        images.read("out.png")


def test_signals_one_by_one():
    """Before there is a picture a signal aborts; then the first asks and the second aborts; then all is as before."""
    announced = []
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Interruption(lambda: announced.append(1)) as interruption:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        interruption.expect_picture()
        assert not interruption.asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.asked
        assert announced == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_signal_in_the_middle_of_a_word_is_announced_after_it():
    """Python lets nothing be written to a stream inside of a write; the run stops all the same and loses nothing."""
    said = []

    def announce():
        said.append("tried")
        if len(said) == 1:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

    with Interruption(announce) as interruption:
        interruption.expect_picture()
        signal.raise_signal(signal.SIGTERM)
        assert said == ["tried"]
        assert interruption.asked
        assert interruption.asked
        assert said == ["tried"] * 2


def test_an_ignored_signal_stays_ignored():
    """Under nohup and in background shells SIGINT is not for us."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption(lambda: None) as interruption:
            interruption.expect_picture()
            os.kill(os.getpid(), signal.SIGINT)
            assert not interruption.asked
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupted_before_the_run(call, room, endless, monkeypatch):
    """Ctrl-C while inputs are read says that nothing was saved."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("impasto.runs.pictures.stylize.prepared", interrupted)
    outcome = call(*endless)
    assert outcome.code == 130
    assert outcome.err == "impasto: Aborted; no picture was saved.\n"
    assert not (room / "out.png").exists()


def test_a_terminal_gets_bars_without_color(start, room, fast):
    """On a terminal the display is redrawn in place, and NO_COLOR is respected."""
    terminal, end = pty.openpty()
    words = ("stylize", "photo.png", "painting.png", "-o", "out.png", *fast)
    process = start(*words, stderr=end, env={"NO_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "100"})
    os.close(end)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end was closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert process.wait(timeout=240) == 0
    assert b"\x1b[2K" in shown
    assert b"2/2 64x48" in shown
    assert not re.search(rb"\x1b\[(\d+;)*(3|4|9|10)\dm", shown)
    assert shown.rstrip().endswith(b"s.")
