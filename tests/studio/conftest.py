"""A studio over real jobs, and a worker that paints nothing but says that it does, step by step."""

import io
import os
import shutil
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from impasto import images
from impasto.jobs import Progress, Status
from impasto.studio.access import Access
from impasto.studio.library import PAINTINGS
from impasto.studio.limits import Limits
from impasto.studio.server import ServerConfig, Studio

KEYS = {"ada": "ada's long secret key", "bob": "bob's long secret key"}
STEPS = 6
_ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
_READY = "body[data-ready]"
RECIPE = {"impasto": "0.1.0", "task": "stylize", "settings": {"size": 64}}


class Painter(threading.Thread):
    """Takes jobs one by one and reports progress, previews and results as a worker does, in flat colors.

    While ``holding`` is set, it waits in the middle of a job.
    """

    def __init__(self, jobs):
        super().__init__(daemon=True)
        self.jobs, self.ending, self.holding, self.pace = jobs, threading.Event(), threading.Event(), 0.02

    def run(self):
        """Look for work until told to end."""
        while not self.ending.wait(0.03):
            for name in self.jobs.queue.candidates():
                lock = self.jobs.store.lock(name)
                entry = lock and self.jobs.queue.claim(name)
                if entry:
                    self.paint(entry)
                if lock:
                    lock.release()

    def paint(self, entry):
        """One job, as far as it is wanted."""
        job, step = entry.job, 0
        history = list(job.progress.history) if job.progress else []
        while step < STEPS and not self.ending.is_set():
            pulse = self.jobs.queue.pulse(job.id)
            if pulse is None or pulse.status is not Status.RUNNING:
                return
            if pulse.wish == "stop":
                break
            if self.holding.is_set() and step >= STEPS // 2:
                time.sleep(0.03)
                continue
            step += 1
            history.append((len(history) + 1, 10.0 / (len(history) + 1)))
            progress = Progress(0, 1, step, STEPS, history[-1][1], step * 1.0, (STEPS - step) * 1.0, tuple(history))
            images.write(self.jobs.store.folder(job.id) / "preview.jpg", flat(step / STEPS), metadata=False)
            self.jobs.queue.report(job.id, entry.claim, progress)
            time.sleep(self.pace)
        images.write(self.jobs.store.folder(job.id) / "result.png", flat(step / STEPS), recipe=RECIPE)
        now = self.jobs.queue.get(job.id)
        self.jobs.queue.finish(now, Status.DONE if step == STEPS else Status.STOPPED)


def flat(level, shape=(48, 64)):
    """A picture that is bluer the further it is."""
    return torch.tensor([0.8 - 0.5 * level, 0.5, level]).reshape(1, 3, 1, 1).expand(1, 3, *shape)


def _png(width=40, height=30, seed=0):
    """The bytes of a small picture."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@contextmanager
def _open_studio(home, **options):
    """A studio on a free port, in a thread, with a painter.

    Its samples are there and flat, for a studio begins by drawing those it lacks, beside all that is tested.
    """
    hung = home / "studio" / "samples"
    hung.mkdir(parents=True, exist_ok=True)
    for name in PAINTINGS:
        images.write(hung / f"{name}.png", flat(1.0))
    studio = Studio(ServerConfig(home=home, port=0, workers=0, **options))
    painter = Painter(studio.service.jobs)
    ready = threading.Event()
    thread = threading.Thread(target=studio.run, args=(ready.set,))
    thread.start()
    painter.start()
    assert ready.wait(20)
    studio.painter = painter
    try:
        yield studio
    finally:
        painter.ending.set()
        painter.join()
        studio.stop()
        thread.join()


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    """A studio for everyone on this machine."""
    limits = Limits(
        upload_bytes=1 << 20,
        upload_pixels=1_000_000,
        side=4096,
        evaluations=1000,
        stall_seconds=0.5,
        body_seconds=2,
        queue=60,
    )
    with _open_studio(tmp_path_factory.mktemp("studio"), limits=limits) as opened:
        yield opened


@pytest.fixture(scope="session")
def locked(tmp_path_factory):
    """A studio for two users with keys."""
    limits = Limits(queue=3, disk_bytes=400_000, uploads=2)
    with _open_studio(tmp_path_factory.mktemp("locked"), access=Access.of(KEYS), limits=limits) as opened:
        yield opened


@pytest.fixture
def http(studio):
    """A client of the open studio's API."""
    with httpx.Client(base_url=f"{studio.address}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture
def users(locked):
    """A client for each user of the locked studio, and one for nobody."""
    base = f"{locked.address}/api/v1"
    clients = {
        name: httpx.Client(base_url=base, headers={"authorization": f"Bearer {key}"}, timeout=60)
        for name, key in KEYS.items()
    }
    clients["nobody"] = httpx.Client(base_url=base, timeout=60)
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def bring():
    """A function that uploads a small picture and returns its identifier."""

    def brought(client, seed=0, **options):
        answer = client.post("/pictures", content=_png(seed=seed, **options), headers={"content-type": "image/png"})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return brought


@pytest.fixture
def submit(bring):
    """A function that submits a job over two small pictures and returns it."""

    def submitted(client, **settings):
        body = {
            "inputs": {"content": [bring(client)], "styles": [bring(client, 1)]},
            "settings": {"size": 64, "coarsest": 64, **settings},
            "title": "Sea after swirl",
        }
        answer = client.post("/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    return submitted


@pytest.fixture
def until():
    """A function that waits until a job is in a state, and returns it."""

    def waited(client, identifier, *states):
        end = time.monotonic() + 120  # how busy the machine is, is not what is tested
        while time.monotonic() < end:
            job = client.get(f"/jobs/{identifier}").json()
            if job["status"] in states:
                return job
            time.sleep(0.03)
        pytest.fail(f"the job is {job['status']}, not {states}")

    return waited


@pytest.fixture(scope="session")
def png():
    """A function that makes the bytes of a small picture."""
    return _png


@pytest.fixture(scope="session")
def open_studio():
    """A context manager that opens a studio in a folder."""
    return _open_studio


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium, the system's or Playwright's own."""
    if "HOME" not in os.environ:  # for which node would ask the table of users, which not every user is in
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
            yield from _chromium()
    else:
        yield from _chromium()


def _chromium():
    """The browser, opened, for as long as the iteration lasts."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: pip install playwright")
    found = os.environ.get("IMPASTO_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no browser: apt-get install chromium, or playwright install chromium")
        letters = {**os.environ, "LC_ALL": "C.UTF-8"}  # in which the folders of its downloads are named
        opened = driver.chromium.launch(executable_path=found, args=_ARGUMENTS, env=letters)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, studio):
    """The page at desktop width. At the end nothing may have been asked of another server or complained of."""
    context = browser.new_context(viewport={"width": 1360, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.asked, page.complaints = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(studio.address)
    page.wait_for_selector(_READY)
    yield page
    allowed = (studio.address, "data:", f"blob:{studio.address}")
    assert [url for url in page.asked if not url.startswith(allowed)] == []
    assert page.complaints == []
    context.close()
