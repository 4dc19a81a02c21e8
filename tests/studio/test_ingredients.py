"""The page in a real browser: how pictures come in, what stays chosen, and what comes back from a finished one."""

import base64
import time

import pytest

READY = "body[data-ready]"
DROP = """([place, kind, files]) => {
  const items = new DataTransfer();
  for (const [name, data] of files)
    items.items.add(new File([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))], name, { type: "image/png" }));
  const target = document.querySelector(place);
  const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: items, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: items, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}"""


def true(page, expression, argument=None):
    """Wait until something holds in the page, whose own way to wait needs eval, which it forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, expression
        time.sleep(0.05)


@pytest.fixture
def files(png):
    """A function that makes so many small pictures with names."""
    made = iter(range(100, 1000))

    def some(count):
        return [[f"{next(made)}.png", base64.b64encode(png(seed=next(made))).decode()] for _ in range(count)]

    return some


def chosen(page, place, count):
    """Wait until a picker has so many pictures, and return their names."""
    true(page, "([place, count]) => document.querySelectorAll(`#${place} .shown img`).length === count", [place, count])
    return page.eval_on_selector_all(f"#{place} .shown img", "all => all.map((one) => one.alt)")


def state(page, words):
    """Wait until the state of the job on the stage has these words."""
    true(page, "words => document.getElementById('state').textContent.includes(words)", words)


@pytest.fixture
def painting(http, bring):
    """A small painting in the library before the page is opened."""
    bring(http, 51)


@pytest.fixture
def made(painting, page):
    """A finished picture of a sample and a painting of one's own, on the stage."""
    page.click("[data-id='sample:rocket']")
    page.click("#painting .owned .thumb >> nth=0")
    page.fill("#set-size", "64")
    page.click("#go")
    state(page, "Done")
    return page


def test_files_dropped_anywhere_are_taken(page, files):
    """The first that is free takes them; nothing leaves the page; pasted ones likewise."""
    [first], [second] = files(1), files(1)
    assert page.evaluate(DROP, ["#stage", "dragover", [first]])
    assert page.evaluate(DROP, ["#stage", "drop", [first]])
    assert chosen(page, "photo", 1) == [first[0]]
    assert page.evaluate(DROP, ["body", "paste", [second]])
    assert chosen(page, "painting", 1) == [second[0]]


def test_two_places_are_shown_while_files_are_dragged(page, files):
    """As the photo and as the painting; what is dropped there goes there, and both are gone afterwards."""
    [one] = files(1)
    assert page.locator(".zones").is_hidden()
    page.evaluate(DROP, ["#stage", "dragenter", [one]])
    page.wait_for_selector(".zones:not([hidden])")
    page.evaluate(DROP, [".zones div:nth-child(2)", "drop", [one]])
    assert chosen(page, "painting", 1) == [one[0]]
    assert page.locator(".zones").is_hidden()


def test_of_several_photos_each_is_painted(painting, page, files):
    """Nothing vanishes: it is said what becomes of them, and there is a job for each."""
    several = files(3)
    page.evaluate(DROP, ["#photo", "drop", several])
    assert chosen(page, "photo", 3) == [name for name, _ in several]
    assert "each becomes a picture of its own" in page.inner_text("#toast")
    page.click("#painting .owned .thumb >> nth=0")
    page.fill("#set-size", "64")
    assert "3 pictures" in page.inner_text("#hint")
    page.click("#go")
    names = {name for name, _ in several}
    true(
        page,
        "names => names.every((name) => [...document.querySelectorAll('#cards .name')].some((one) => one.textContent.startsWith(name)))",
        sorted(names),
    )
    state(page, "Done")


def test_several_paintings_are_mixed(page, files):
    """Mix switches itself on, and the page says so."""
    page.evaluate(DROP, ["#painting", "drop", files(2)])
    chosen(page, "painting", 2)
    assert page.is_checked("#painting-mix")
    assert "2 paintings, which are mixed" in page.inner_text("#toast")


def test_what_was_chosen_survives_a_reload(page, files):
    """Photo, paintings, task and settings."""
    page.evaluate(DROP, ["#photo", "drop", files(1)])
    page.evaluate(DROP, ["#painting", "drop", files(2)])
    names = chosen(page, "photo", 1), chosen(page, "painting", 2)
    page.fill("#set-size", "96")
    page.click("#tab-texture")
    page.click("#tab-stylize")
    page.reload()
    page.wait_for_selector(READY)
    assert (chosen(page, "photo", 1), chosen(page, "painting", 2)) == names
    assert page.input_value("#set-size") == "96"
    assert page.is_checked("#painting-mix")
    page.click("#tab-reconstruct")
    assert page.input_value("#set-size") != "96"  # settings of one task are none of another


def test_the_ingredients_of_a_picture_come_back(made, files):
    """The photo, the painting and the settings that it was made with, whatever was chosen since."""
    painting = chosen(made, "painting", 1)
    made.evaluate(DROP, ["#photo", "drop", files(1)])
    chosen(made, "photo", 1)
    made.fill("#set-size", "128")
    made.click("[data-action='Load its settings']")
    true(made, "document.querySelector('#photo .shown img')?.alt === 'Rocket launch'")
    assert chosen(made, "painting", 1) == painting
    assert made.input_value("#set-size") == "64"


def test_a_result_as_photo_painting_and_start(made):
    """The photo goes where a photo is, and a start can be left again and does not follow into other tasks."""
    made.click("#tab-texture")
    made.click("[data-action='Use as photo']")
    assert made.get_attribute("#tab-stylize", "aria-selected") == "true"
    made.click("[data-action='Use as painting']")
    assert "after" in chosen(made, "painting", 1)[0]
    made.click("[data-action='Use as start']")
    assert "Starts from" in made.inner_text("#hint")
    made.click("#tab-texture")
    assert "Starts from" not in made.inner_text("#hint")
    made.click("#tab-stylize")
    made.click("#anew")
    assert "Starts from" not in made.inner_text("#hint")
    assert made.locator("#anew").is_hidden()


def test_back_and_forward_go_through_pictures(made):
    """A card is a link with an address of its own; an address of nothing says so."""
    first = made.evaluate("location.hash")
    made.click("[data-action=Again]")
    true(made, "first => location.hash !== first", first)
    state(made, "Done")
    second = made.evaluate("location.hash")
    made.go_back()
    true(made, "first => location.hash === first", first)
    made.click(f"#cards a[href='{second}']")
    true(made, "hash => location.hash === hash", second)
    made.complaints.clear()
    made.evaluate("location.hash = '#job=' + 'f'.repeat(32)")
    true(made, "document.getElementById('toast').textContent.includes('no such picture')")
    made.complaints[:] = [line for line in made.complaints if "404" not in line]


def test_the_slider_ends_where_it_was_left(painting, page, studio, http):
    """However fast it moves, there is one request at a time, and the job has the last value."""
    studio.painter.holding.set()
    try:
        page.click("[data-id='sample:rocket']")
        page.click("#painting .owned .thumb >> nth=0")
        page.fill("#set-size", "64")
        page.click("#go")
        state(page, "Painting")
        sent = []
        page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/adjust") else None)
        page.focus("#steering")
        for _ in range(6):
            page.keyboard.press("ArrowRight")
        true(page, "document.getElementById('steered').textContent === '0.80'")
        end = time.monotonic() + 30
        while (found := http.get("/jobs", params={"limit": 1}).json()["jobs"][0])["settings"].get("strength") != 0.8:
            assert time.monotonic() < end, found["settings"]
            time.sleep(0.05)
        page.evaluate("1")  # for the browser's own news of its requests
        assert 1 <= len(sent) <= 2
    finally:
        studio.painter.holding.clear()
    state(page, "Done")


def test_the_slider_steers_the_job_that_it_is_shown_with(painting, page, studio, http):
    """Also when another job comes to the stage before the first one's value was sent."""
    studio.painter.holding.set()
    try:
        page.click("[data-id='sample:rocket']")
        page.click("#painting .owned .thumb >> nth=0")
        for size in ("64", "80"):
            page.fill("#set-size", size)
            before = page.url
            page.click("#go")
            true(page, "before => location.href !== before", before)
        second, first = (job["id"] for job in http.get("/jobs", params={"limit": 2}).json()["jobs"])
        true(page, "document.getElementById('steer').hidden === false")
        for identifier, value in ((first, 0.7), (second, 0.9)):
            page.evaluate(
                "([id, value]) => { document.querySelector(`#cards [href='#job=${id}']`).click();"
                " const slider = document.getElementById('steering'); slider.value = value;"
                " for (const kind of ['input', 'change']) slider.dispatchEvent(new Event(kind)); }",
                [identifier, value],
            )
        end = time.monotonic() + 30
        wanted = {first: 0.7, second: 0.9}
        while (found := {id_: http.get(f"/jobs/{id_}").json()["settings"].get("strength") for id_ in wanted}) != wanted:
            assert time.monotonic() < end, found
            time.sleep(0.05)
    finally:
        studio.painter.holding.clear()
    state(page, "Done")


def test_a_sheet_survives_a_reload_and_the_stage_hears_what_happened(painting, page, studio, http):
    """Its finished cells have their pictures; the job on the stage is up to date when one comes back to it."""
    page.click("[data-id='sample:rocket']")
    page.click("#painting .owned .thumb >> nth=0")
    page.click("#tab-explore")
    page.click("#go")
    true(page, "[...document.querySelectorAll('.cell .wait')].filter((one) => !one.textContent).length === 9")
    studio.painter.holding.set()
    try:
        page.click("#tab-stylize")
        page.fill("#set-size", "64")
        page.click("#go")
        state(page, "Painting")
        page.click("#tab-explore")
        assert page.locator("#sheet").is_visible()
    finally:
        studio.painter.holding.clear()
    end = time.monotonic() + 60
    while http.get("/jobs", params={"limit": 1}).json()["jobs"][0]["status"] != "done":
        assert time.monotonic() < end
        time.sleep(0.05)
    true(page, "[...document.querySelectorAll('#cards .badge')][0].textContent === 'Done'")
    page.click("#tab-stylize")
    state(page, "Done")
    page.click("#tab-explore")
    page.reload()
    page.wait_for_selector(READY)
    true(page, "document.querySelectorAll('.cell img:not([hidden])').length === 9")
    assert page.locator("#sheet").is_visible()
    page.click(".cell >> nth=2")
    assert page.input_value("#set-strength") == "0.7"
    assert chosen(page, "photo", 1) == ["Rocket launch"]


def test_listeners_hear_the_beginning_and_the_end(made):
    """And no step between them."""
    assert made.inner_text("#spoken").startswith("Done: Rocket launch after")
    assert made.get_attribute("#state", "role") is None


def test_the_same_picture_twice_is_asked_about(painting, page, studio):
    """While it is being made; whoever wants it twice gets it."""
    studio.painter.holding.set()
    try:
        page.click("[data-id='sample:rocket']")
        page.click("#painting .owned .thumb >> nth=0")
        page.fill("#set-size", "64")
        page.click("#go")
        true(page, "document.querySelectorAll('#cards li.active, #cards .active').length > 0")
        count = page.locator("#cards li").count()
        page.click("#go")
        page.wait_for_selector("#asking[open]")
        page.click("#asking button[value=no]")
        assert page.locator("#cards li").count() == count
    finally:
        studio.painter.holding.clear()
    state(page, "Done")


def test_ingredients_of_others_are_not_given_away(users, submit):
    """A job of somebody else is not there."""
    job = submit(users["ada"])
    assert users["bob"].post(f"/jobs/{job['id']}/ingredients").status_code == 404
    found = users["ada"].post(f"/jobs/{job['id']}/ingredients").json()
    assert [len(found[role]) for role in ("content", "styles")] == [1, 1]
    known = {item["id"] for item in users["ada"].get("/pictures").json()}
    assert found["content"][0]["id"] in known


def test_samples_come_back_as_samples(http, until):
    """Not as copies in the library."""
    body = {"inputs": {"content": ["sample:rocket"], "styles": ["sample:swirl"]}, "settings": {"size": 64}}
    answer = http.post("/jobs", json=body)
    assert answer.status_code == 201
    until(http, answer.json()["id"], "done")
    found = http.post(f"/jobs/{answer.json()['id']}/ingredients").json()
    assert found["content"] == [{"id": "sample:rocket", "name": "Rocket launch"}]
