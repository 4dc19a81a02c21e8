"""Pictures of strangers are decoded in processes that may crash, hang or eat memory: the upload is refused, no more."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import httpx
import pytest

from impasto.errors import ImageError
from impasto.studio.confinement import Confinement
from impasto.studio.decoding import Copies, DecoderPool
from impasto.studio.limits import Limits

PIXELS = 1_000_000
HOSTILE = """
import os, signal, sys, time
from impasto.studio.decoding import Copies, serve

def decode(picture, sides, max_pixels):
    word = picture.read_text()
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "hang":
        time.sleep(600)
    if word == "burn":
        while True:
            pass
    if word == "eat":
        return Copies((bytes(6 << 30),), (1, 1))
    if word == "chatter":
        print("words on stdout", flush=True)
        os.write(1, b"and more")
    if word == "nonsense":
        os.write(3, b"no JSON at all\\n")
    if word == "key":
        return Copies((os.environ.get("IMPASTO_STUDIO_KEY", "none").encode(),), (1, 1))
    return Copies((f"{os.getpid()}".encode(),) * len(sides), (7, 9))

serve(decode)
"""


@pytest.fixture
def decoder(monkeypatch):
    """Processes that do what a file's words say, two seconds each at most."""
    monkeypatch.setenv("IMPASTO_STUDIO_KEY", "a key that is long enough")
    opened = DecoderPool(Confinement(seconds=2), HOSTILE, processes=1)
    yield opened
    opened.close()


@pytest.fixture
def ask(decoder, tmp_path):
    """A function that has a file of a word decoded."""

    def asked(word, sides=(100, 10)):
        (tmp_path / "picture").write_text(word)
        return decoder.copies(tmp_path / "picture", sides, PIXELS)

    return asked


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("crash", "made the program that reads pictures fail"),
        ("hang", "took longer than 2 seconds to read"),
        ("burn", "took longer than 2 seconds|made the program that reads pictures fail"),
        ("nonsense", "made the program that reads pictures fail"),
    ],
)
def test_what_a_decoder_does_not_survive_is_refused(ask, word, sentence):
    """With a sentence; the next picture is decoded by another process."""
    before = ask("good")
    with pytest.raises(ImageError, match=sentence):
        ask(word)
    after = ask("good")
    assert after.shape == (7, 9)
    assert after.jpegs[0] != before.jpegs[0]
    with pytest.raises(ProcessLookupError):
        os.kill(int(before.jpegs[0]), 0)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not limit a process's memory")
def test_a_decoder_gets_no_more_memory_than_is_due(ask):
    """6 GiB for a picture of a megapixel are not."""
    with pytest.raises(ImageError, match="needs more memory to read than it may have"):
        ask("eat")
    assert ask("good").shape == (7, 9)


def test_a_decoder_stays_warm_and_answers_only_what_it_is_asked(ask):
    """What libraries print does not get between, and secrets of the server are not there."""
    first, second = ask("good"), ask("chatter")
    assert first == second
    assert len(second.jpegs) == 2
    assert ask("key").jpegs == (b"none",)


def test_a_decoder_that_does_not_start_is_said(tmp_path):
    """To whoever uploads, and nothing waits for ever."""
    decoder = DecoderPool(Confinement(), "raise SystemExit(1)", processes=1)
    for _ in range(2):
        with pytest.raises(ImageError, match="does not start"):
            decoder.copies(tmp_path / "picture", (10,), PIXELS)
    decoder.warm()
    decoder.close()


def test_closing_ends_the_processes(decoder, ask):
    """All of them."""
    process = int(ask("good").jpegs[0])
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_closing_ends_a_process_that_is_just_starting(tmp_path):
    """It would be left over, with its pipes open."""
    slow = (
        f"import os, pathlib, time; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); time.sleep(1)"
    )
    decoder = DecoderPool(Confinement(), f"{slow}\n{HOSTILE}", processes=1)
    warming = threading.Thread(target=decoder.warm)
    warming.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    decoder.close()
    warming.join()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell when a process has died")
def test_a_process_that_died_while_it_was_idle_leaves_no_pipes(ask):
    """Another one decodes; an open pipe would be a warning here."""
    process = int(ask("good").jpegs[0])
    os.kill(process, signal.SIGKILL)
    while "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]:
        time.sleep(0.01)
    assert ask("good").shape == (7, 9)
    gc.collect()


def test_a_decoder_ends_with_its_server(tmp_path):
    """Even with one that is killed."""
    (tmp_path / "picture").write_text("good")
    code = f"""
        from pathlib import Path
        from impasto.studio.confinement import Confinement
        from impasto.studio.decoding import DecoderPool
        import time
        print(DecoderPool(Confinement(), {HOSTILE!r}).copies(Path("picture"), (1,), 1).jpegs[0].decode(), flush=True)
        time.sleep(100)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as server:
        process = int(server.stdout.readline())
        server.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while Path(f"/proc/{process}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(f"/proc/{process}").exists() or "Z" in Path(f"/proc/{process}/stat").read_text().split()[2]


def test_real_pictures_are_decoded(tmp_path, png):
    """By the usual program, in one process after the other file; what is no picture is refused with its sentence."""
    decoder = DecoderPool(Confinement(), processes=1)
    (tmp_path / "picture").write_bytes(png(640, 480))
    made = decoder.copies(tmp_path / "picture", (320, 32), PIXELS)
    assert isinstance(made, Copies)
    assert made.shape == (480, 640)
    assert all(jpeg.startswith(b"\xff\xd8\xff") for jpeg in made.jpegs)
    (tmp_path / "picture").write_bytes(b"no picture")
    with pytest.raises(ImageError, match="is not a picture"):
        decoder.copies(tmp_path / "picture", (320, 32), PIXELS)
    with pytest.raises(ImageError, match=r"cannot be read"):
        decoder.copies(tmp_path / "none", (320, 32), PIXELS)
    decoder.close()


def test_the_server_lives_on(tmp_path, open_studio, monkeypatch):
    """An upload whose decoding crashes or hangs is refused with a sentence, and the next one is taken."""
    monkeypatch.setattr(DecoderPool, "USUAL", HOSTILE)
    limits = Limits(decoding_seconds=2)
    with open_studio(tmp_path, limits=limits) as studio, httpx.Client(base_url=studio.address, timeout=60) as http:
        headers = {"content-type": "application/octet-stream"}
        words = (b"crash", b"hang", b"good")
        answers = [http.post("/api/v1/pictures", content=word, headers=headers) for word in words]
        assert [answer.status_code for answer in answers] == [422, 422, 201]
        assert "save it again as a PNG or JPEG" in answers[0].json()["error"]
        assert len(http.get("/api/v1/pictures").json()) == 1
        assert list((studio.service.folder / "incoming").iterdir()) == []
