"""The page in a real browser: what a visitor does, from the first drop to the download."""

import base64
import gzip
import itertools
import json
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from impasto.studio.access import Access
from impasto.studio.application import create
from impasto.studio.feed import Feed

AXE = Path(__file__).parent / "assets" / "axe-core-4.14.1.min.js.gz"
READY = "body[data-ready]"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1360, "height": 900}

DROP = """([place, data, name]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const items = new DataTransfer();
  items.items.add(new File([bytes], name, { type: "image/png" }));
  const target = document.getElementById(place);
  for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: items, bubbles: true, cancelable: true }));
}"""


def true(page, expression, argument=None):
    """Wait until something holds in the page. Playwright's own way to wait needs eval, which the page forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


def drop(page, place, data, name):
    """Drop a file, as from the desktop."""
    page.evaluate(DROP, [place, base64.b64encode(data).decode(), name])
    page.wait_for_selector(f'#{place} .shown img[alt="{name}"]')


def state(page, words):
    """Wait until the state of the job on the stage has these words."""
    true(page, "words => document.getElementById('state').textContent.includes(words)", words)


def version(page):
    """Which preview is seen."""
    return page.evaluate("document.getElementById('picture').dataset.version ?? null")


def test_a_visit(page, studio, png, tmp_path):
    """Drop files, start, see the preview change, stop, reload, find the job, rerun it, download, open the metadata."""
    drop(page, "photo", png(120, 90, seed=21), "sea.png")
    drop(page, "painting", png(80, 80, seed=22), "storm.png")
    studio.painter.holding.set()
    studio.painter.pace = 0.6
    page.fill("#set-size", "64")
    page.click("#go")
    state(page, "Painting")
    true(page, "document.getElementById('picture').dataset.version")
    first = version(page)
    true(page, "seen => document.getElementById('picture').dataset.version !== seen", first)
    page.wait_for_selector("#chart svg polyline")
    state(page, "left")  # from the third step on
    page.reload()  # the job does not notice, and is found again
    page.wait_for_selector(READY)
    state(page, "Painting")
    assert page.inner_text("#title") == "sea.png after storm.png"
    page.click("[data-action='Stop and keep']")
    state(page, "Stopped, and kept")
    studio.painter.holding.clear()
    studio.painter.pace = 0.02
    page.click("[data-action=Again]")
    state(page, "Done")
    with page.expect_download() as download:
        page.click("[data-action=Download]")
    saved = tmp_path / "saved.png"
    download.value.save_as(saved)
    assert saved.read_bytes().startswith(b"\x89PNG")
    page.click("#recipe summary")
    true(page, "document.getElementById('parameters').textContent.includes('stylize')")
    assert json.loads(page.inner_text("#parameters"))["settings"] == {"size": 64}


def paint(page, **values):
    """Three clicks make a picture."""
    page.click("[data-id='sample:rocket']")
    page.click("#painting .thumb >> nth=0")
    for name, value in values.items():
        page.fill(f"#set-{name}", str(value))
    page.click("#go")
    state(page, "Done")


@pytest.fixture
def painting(http, bring):
    """A painting in the library, small, so that no sample need be painted."""
    bring(http, 31)


@pytest.fixture
def done(painting, page):
    """The page with a finished picture on its stage."""
    paint(page)
    return page


def test_comparing_and_looking_closely(done):
    """The slider over the photo, and the viewer, with the keyboard."""
    done.click("[data-action=Compare]")
    done.keyboard.press("Home")
    assert "100%" in done.evaluate("document.getElementById('before').style.clipPath")
    done.click("[data-action='Look closely']")
    true(done, "document.querySelector('#viewer p')?.textContent.includes('64 × 48')")
    before = done.inner_text("#viewer p")
    done.keyboard.press("+")
    true(done, "text => document.querySelector('#viewer p').textContent !== text", before)
    time.sleep(1)  # for its tiles; reading a canvas twice would earn a warning
    seen = done.evaluate(
        "() => { const c = document.querySelector('#viewer canvas');"
        " return c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[3]; }"
    )
    assert seen == 255
    done.keyboard.press("Escape")
    assert done.locator("#viewer").is_hidden()


def test_using_a_result(done):
    """As the photo of the next picture, as what it starts from, and for more; then delete it."""
    done.click("[data-action='Use as photo']")
    assert "after" in done.get_attribute("#photo .shown img", "alt")
    done.click("[data-action='Use as start']")
    assert "Starts from" in done.inner_text("#hint")
    count = done.locator("#cards li").count()
    done.click("[data-action=More]")
    true(done, "count => document.querySelectorAll('#cards li').length > count", count)
    state(done, "Done")
    done.click("[data-action=Delete]")
    done.click("#sure")
    done.wait_for_selector("#empty:not([hidden])")
    true(done, "count => document.querySelectorAll('#cards li').length === count", count)


def test_searching_the_gallery(done):
    """Words of a title find it, others do not; a card brings it back to the stage."""
    done.fill("#search", "nothing is called so")
    done.wait_for_selector("#none:not([hidden])")
    done.fill("#search", "rocket")
    done.wait_for_selector("#cards li")
    done.click("#cards .card >> nth=0")
    assert "Rocket" in done.inner_text("#title")


def test_painting_a_mask(done, http):
    """What is painted on the photo goes along with the job, by mouse or by keyboard."""
    done.click("#where")
    box = done.locator("#masking canvas").bounding_box()
    done.mouse.move(box["x"] + 40, box["y"] + 40)
    done.mouse.down()
    done.mouse.move(box["x"] + 120, box["y"] + 60, steps=4)
    done.mouse.up()
    done.focus("#masking canvas")
    done.keyboard.press("ArrowLeft")
    done.keyboard.press("Space")
    done.click("#masking .primary")
    true(done, "document.getElementById('where').textContent.includes('in use')")
    before = done.url
    done.click("#go")
    true(done, "before => location.href !== before", before)
    state(done, "Done")
    made = http.get("/jobs", params={"limit": 1}).json()["jobs"][0]
    assert made["inputs"] == {"content": 1, "styles": 1, "protect": 1}
    assert all(item["name"] != "kept.png" for item in http.get("/pictures").json())


def test_tabs_and_sheet(done):
    """Tabs by arrow keys; a texture; and a sheet to choose from, whose choice goes into the settings."""
    done.focus("#tab-stylize")
    done.keyboard.press("ArrowRight")
    assert done.get_attribute("#tab-explore", "aria-selected") == "true"
    done.click("#go")
    true(done, "document.querySelectorAll('.cell').length === 9")
    done.click(".cell >> nth=2")
    assert done.input_value("#set-strength") == "0.7"
    done.click("#tab-texture")
    assert done.locator("#photo").is_hidden()
    done.click("#go")
    true(done, "document.getElementById('title').textContent.startsWith('Texture of')")
    state(done, "Done")


def test_by_keyboard_alone(painting, page):
    """From the top of the page to a picture without a pointer."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for wanted in ("sample:rocket", "painting"):
        for _ in range(40):
            page.keyboard.press("Tab")
            focused = page.evaluate("document.activeElement.dataset.id ?? ''")
            inside = page.evaluate("Boolean(document.activeElement.closest('#painting .strip'))")
            if focused == wanted or (wanted == "painting" and inside):
                break
        page.keyboard.press("Enter")
    page.focus("#set-size")
    page.keyboard.press("Enter")
    state(page, "Done")


def test_words_stay_words(page, http, bring, until):
    """A title and a file name that look like HTML are shown as they are, and nothing of them runs."""
    trick = "<img src=x onerror=document.title='owned'>"
    http.post("/pictures", params={"name": trick}, content=_fresh(), headers={"content-type": "image/png"})
    inputs = {"content": [bring(http)], "styles": [bring(http, 1)]}
    identifier = http.post(
        "/jobs", json={"inputs": inputs, "settings": {"size": 64, "coarsest": 64}, "title": trick}
    ).json()["id"]
    until(http, identifier, "done")
    page.goto(f"{page.url.partition('#')[0]}#job={identifier}")
    page.reload()
    page.wait_for_selector(READY)
    assert page.inner_text("#title") == trick
    assert page.title() == "impasto studio"


def _fresh():
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (20, 20), (200, 30, 60)).save(out, "PNG")
    return out.getvalue()


def test_refusals_are_said(page, png):
    """What the studio refuses is said in its words."""
    page.evaluate(DROP, ["photo", base64.b64encode(b"<svg></svg>").decode(), "drawing.svg"])
    true(page, "document.getElementById('toast').textContent.includes('not a picture')")
    page.complaints[:] = [line for line in page.complaints if "422" not in line]  # the browser's own note of it
    page.click("#go")
    assert "Choose a photo and a painting first" in page.inner_text("#toast")


def test_accessibility(done):
    """axe-core finds nothing serious: on the stage, in the drawer, in the mask's dialog, in every tab."""
    done.click("#drawer summary")
    done.evaluate(gzip.decompress(AXE.read_bytes()).decode())
    found = audit(done, itertools.product((DESK, PHONE), ("light", "dark")))
    for tab in ("explore", "texture", "reconstruct", "stylize"):
        done.click(f"#tab-{tab}")
        found += audit(done)
    done.click("#where")
    done.wait_for_selector("#masking canvas")
    found += audit(done)
    assert found == []


def audit(page, views=((DESK, "light"), (PHONE, "dark"))):
    """What axe-core calls serious or critical in windows of these sizes and schemes of colors."""
    found = []
    for size, scheme in views:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += [f"{size['width']} {scheme}: {line}" for line in serious(page)]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"
    return found


def serious(page):
    """What it says of the page as it is."""
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    items = [item for item in result["violations"] if item["impact"] in ("serious", "critical")]
    return [
        f"{item['id']}: {node['target']} {node['failureSummary'][:300]}" for item in items for node in item["nodes"]
    ]


def test_logging_in(browser, locked):
    """The page asks for the key, says when it is wrong, opens with the right one, and closes again."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(locked.address)
    page.fill("#key", "not the key at all")
    page.keyboard.press("Enter")
    true(page, "document.getElementById('wrong').textContent.includes('not the key')")
    page.fill("#key", "ada's long secret key")
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    page.click("#logout")
    page.wait_for_selector("#login")
    context.close()


PREFIX = "/impasto"


@pytest.fixture
def proxied(studio):
    """The address of the studio behind a proxy that puts it under a path, as nginx does."""

    async def proxy(scope, receive, send):
        if not scope["path"].startswith(f"{PREFIX}/"):
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body"})
            return
        path = scope["path"].removeprefix(PREFIX)
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    feed = Feed(studio.service)
    app = create(studio.service, Access(), (), feed)
    config = uvicorn.Config(proxy, port=0, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{PREFIX}/"
        feed.closing = server.should_exit = True
        thread.join()


def test_it_works_under_a_path(browser, proxied, http, bring):
    """Behind a proxy: the page, its files, the API, streams and the page on the API ask for nothing outside the path."""
    bring(http, 41)
    context = browser.new_context(viewport=DESK)
    page = context.new_page()
    page.set_default_timeout(15_000)
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.goto(proxied)
    page.wait_for_selector(READY)
    paint(page)
    page.goto(f"{proxied}api")
    page.wait_for_selector(".operation")
    page.goto(f"{proxied}login")
    page.wait_for_selector("#login")
    assert failed == []
    assert [url for url in asked if not url.startswith((proxied, "data:", f"blob:{proxied[:-9]}"))] == []
    context.close()
