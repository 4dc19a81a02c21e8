"""The HTTP API: what a program, or the page, can do with a studio."""

import io
import json
import time

import httpx
import pytest
from PIL import Image

from impasto.images import read_recipe
from impasto.studio.client import Client, StudioError


def test_a_picture_is_made(http, submit, until):
    """Upload, submit, done: the result is a PNG with its recipe, and the recipe can be asked for."""
    job = submit(http)
    assert job["status"] in ("queued", "running")
    assert job["inputs"] == {"content": 1, "styles": 1}
    done = until(http, job["id"], "done")
    assert done["result"]
    assert done["progress"]["history"][-1][0] == 6
    answer = http.get(f"/jobs/{job['id']}/result", params={"download": True})
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'attachment; filename="Sea-after-swirl.png"'
    assert Image.open(io.BytesIO(answer.content)).size == (64, 48)
    assert http.get(f"/jobs/{job['id']}/recipe").json()["recipe"]["settings"] == {"size": 64}


def test_pictures_of_a_job(http, submit, until):
    """Preview, shrunk result, inputs and tiles are JPEGs of ours, and say so."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    for path in ("preview", "image?side=small", "inputs/content/0?side=small", "inputs/styles/0", "zoom/0/0/0"):
        answer = http.get(f"/jobs/{identifier}/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "image/jpeg"
        assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert http.get(f"/jobs/{identifier}/zoom").json() == {"width": 64, "height": 48, "tile": 512, "levels": 1}


def test_steering(http, studio, submit, until):
    """Pause, resume, adjust, stop and keep; each is seen in the job."""
    studio.painter.holding.set()
    try:
        identifier = submit(http)["id"]
        until(http, identifier, "running")
        assert http.post(f"/jobs/{identifier}/pause", json={}).json()["status"] == "paused"
        assert http.post(f"/jobs/{identifier}/resume").json()["status"] in ("queued", "running")
        adjusted = http.post(f"/jobs/{identifier}/adjust", json={"settings": {"strength": 0.8}})
        assert adjusted.json()["settings"]["strength"] == 0.8
        until(http, identifier, "running")
        http.post(f"/jobs/{identifier}/stop")
        assert until(http, identifier, "stopped")["result"]
        refused = http.post(f"/jobs/{identifier}/pause")
        assert refused.status_code == 409
        assert "paused" in refused.json()["error"]
    finally:
        studio.painter.holding.clear()


def test_cancel_and_retry(http, studio, submit, until):
    """A canceled job has no result, and can be tried again."""
    studio.painter.holding.set()
    try:
        identifier = submit(http)["id"]
        assert http.post(f"/jobs/{identifier}/cancel").json()["status"] == "canceled"
        assert http.get(f"/jobs/{identifier}/result").status_code == 409
    finally:
        studio.painter.holding.clear()
    assert http.post(f"/jobs/{identifier}/retry").json()["status"] in ("queued", "running")
    until(http, identifier, "done")


def test_more_and_again(http, submit, until):
    """More starts from the result; again repeats a job, with other settings where they are given."""
    identifier = submit(http, strength=0.3)["id"]
    until(http, identifier, "done")
    more = http.post(f"/jobs/{identifier}/more", json={"evaluations": 7})
    assert more.status_code == 201
    assert more.json()["inputs"]["init"] == 1
    assert more.json()["settings"]["evaluations"] == [7]
    again = http.post(f"/jobs/{identifier}/again", json={"settings": {"strength": 0.9}}).json()
    assert (again["id"] != identifier, again["settings"]["strength"], again["settings"]["size"]) == (True, 0.9, 64)
    for made in (more.json(), again):
        until(http, made["id"], "done")


def test_a_result_is_an_ingredient(http, submit, until, bring):
    """``result:JOB`` and ``sample:NAME`` refer to pictures, as a library identifier does."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    inputs = {"content": ["sample:rocket"], "styles": [bring(http, 1)], "init": [f"result:{identifier}"]}
    answer = http.post("/jobs", json={"inputs": inputs, "settings": {"size": 64, "coarsest": 64}})
    assert answer.json()["inputs"] == {"content": 1, "styles": 1, "init": 1}
    until(http, answer.json()["id"], "done")


def test_the_same_key_is_the_same_job(http, bring):
    """A submission that is sent twice, because its answer was lost, makes one job."""
    body = {"inputs": {"content": [bring(http)], "styles": [bring(http, 1)]}, "settings": {"size": 64}, "key": "once"}
    first, second = (http.post("/jobs", json=body).json()["id"] for _ in range(2))
    assert first == second


def test_searching_and_paging(http, bring, until):
    """Jobs are found by words of their title, and come in pages."""
    inputs = {"content": [bring(http)], "styles": [bring(http, 1)]}
    made = [
        http.post("/jobs", json={"inputs": inputs, "settings": {"size": 64}, "title": f"Zebra {n}"}).json()["id"]
        for n in range(3)
    ]
    first = http.get("/jobs", params={"search": "zebra", "limit": 2}).json()
    assert [job["id"] for job in first["jobs"]] == made[:0:-1]
    rest = http.get("/jobs", params={"search": "zebra", "limit": 2, "before": first["before"]}).json()
    assert ([job["id"] for job in rest["jobs"]], rest["before"]) == (made[:1], None)
    assert http.get("/jobs", params={"search": "<b>"}).json()["jobs"] == []


def test_delete(http, studio, submit, until):
    """A job that is over can be deleted with everything made from it; one at work cannot."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    http.get(f"/jobs/{identifier}/image")
    http.get(f"/jobs/{identifier}/zoom")
    http.get(f"/jobs/{identifier}/inputs/content/0")
    made = list(studio.service.jobs.store.copies(identifier).iterdir())
    assert len(made) == 3
    assert http.delete(f"/jobs/{identifier}").status_code == 204
    assert http.get(f"/jobs/{identifier}").status_code == 404
    assert not any(path.exists() for path in made)


def test_the_library(http, bring):
    """The same picture is kept once; what is forgotten is gone, from the disk too."""
    identifier = bring(http, 77)
    assert bring(http, 77) == identifier
    assert identifier in [item["id"] for item in http.get("/pictures").json()]
    assert http.get(f"/pictures/{identifier}/image?side=large").headers["content-type"] == "image/jpeg"
    assert http.delete(f"/pictures/{identifier}").status_code == 204
    assert http.get(f"/pictures/{identifier}/image").status_code == 404


def test_no_upload_leaves_anything_behind(http, studio):
    """Neither a good nor a bad upload leaves a temporary file."""
    http.post("/pictures", content=b"not a picture", headers={"content-type": "image/png"})
    assert list((studio.service.folder / "incoming").iterdir()) == []


def events(answer, count):
    """The first events of a stream, as pairs of name and data."""
    found, name = [], None
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            found.append((name, json.loads(line.removeprefix("data: "))))
            if len(found) == count:
                break
    return found


def test_events_of_a_job(http, submit):
    """The stream tells of progress and ends with the job; it goes on after the event that was seen last."""
    identifier = submit(http)["id"]
    with http.stream("GET", f"/jobs/{identifier}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = events(answer, 10_000)
    assert seen[-1][1]["status"] == "done"
    with http.stream("GET", f"/jobs/{identifier}/events", headers={"last-event-id": "100000"}) as answer:
        assert [job["status"] for _, job in events(answer, 10_000)] == ["done"]


def test_events_of_all_jobs(http, submit):
    """The page's stream first tells all there is; what changes later is in the browser's tests."""
    with http.stream("GET", "/events") as answer:
        begin = events(answer, 1)[0][1]
    assert begin["gone"] == []
    identifier = submit(http)["id"]
    with http.stream("GET", "/events") as answer:
        assert any(identifier in line for line in answer.iter_lines())  # at once, or with the next look at the jobs


def test_the_form_holds_every_setting_that_may_be_given(http):
    """It is made from the model: every setting but those that name files or devices."""
    from impasto.settings import Settings

    named = {field["name"] for field in http.get("/settings").json()}
    assert set(Settings.model_fields) - named == {"weights", "device"}


@pytest.mark.parametrize(
    "settings",
    [{"weights": "/etc/passwd"}, {"device": "cuda:7"}, {"init": "/etc/passwd"}, {"network": "../x"}, {"size": 99_999}],
)
def test_what_is_the_machines_cannot_be_set(http, bring, settings):
    """Nor can more work be asked for than one may."""
    inputs = {"content": [bring(http)], "styles": [bring(http, 1)]}
    answer = http.post("/jobs", json={"inputs": inputs, "settings": settings})
    assert answer.status_code == 422
    assert next(iter(settings)) in answer.json()["error"]


def test_openapi_needs_no_other_server(http):
    """The description is complete, and no page of ours loads a viewer from elsewhere."""
    paths = http.get("/openapi.json").json()["paths"]
    assert "/api/v1/jobs/{id}/stop" in paths
    assert "/" not in paths


def test_the_client(studio, png, tmp_path):
    """Submit from files, watch, fetch: in a few lines of Python."""
    for name, seed in (("photo.png", 0), ("painting.png", 1)):
        (tmp_path / name).write_bytes(png(seed=seed))
    with Client(studio.address) as client:
        job = client.submit(tmp_path / "photo.png", [tmp_path / "painting.png"], size=64, title="From Python")
        states = [news["status"] for news in client.watch(job["id"])]
        assert states[-1] == "done"
        (tmp_path / "out.png").write_bytes(client.result(job["id"]))
        assert read_recipe(tmp_path / "out.png")["task"] == "stylize"
        assert Image.open(io.BytesIO(client.preview(job["id"]))).format == "JPEG"
        assert client.jobs(search="Python")[0]["id"] == job["id"]
        client.delete(job["id"])
        with pytest.raises(StudioError, match="There is no such job") as caught:
            client.job(job["id"])
        assert caught.value.status == 404


def test_answers_come_quickly(http, submit, until):
    """Asking for a job's state takes a few milliseconds."""
    identifier = submit(http)["id"]
    times = []
    for _ in range(20):
        began = time.perf_counter()
        http.get(f"/jobs/{identifier}")
        times.append(time.perf_counter() - began)
    assert sorted(times)[10] < 0.2
    until(http, identifier, "done")


def test_a_stopped_studio_finds_its_jobs_again(tmp_path, open_studio, submit, until):
    """Pictures and jobs are there after a restart."""
    with open_studio(tmp_path) as studio, httpx.Client(base_url=f"{studio.address}/api/v1", timeout=60) as http:
        identifier = submit(http)["id"]
        until(http, identifier, "done")
        kept = http.get("/pictures").json()
    with open_studio(tmp_path) as studio, httpx.Client(base_url=f"{studio.address}/api/v1", timeout=60) as http:
        assert http.get(f"/jobs/{identifier}").json()["status"] == "done"
        assert http.get("/pictures").json() == kept


def test_copies_count_as_the_jobs_own(http, studio, submit, until):
    """Tiles and small copies are part of what a user takes up, and go with a job that is deleted elsewhere."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    before = http.get("/session").json()["used"]["bytes"]
    http.get(f"/jobs/{identifier}/zoom")
    http.get(f"/jobs/{identifier}/image")
    copies = studio.service.jobs.store.copies(identifier)
    made = sum(path.stat().st_size for path in copies.rglob("*") if path.is_file())
    assert made > 0
    assert http.get("/session").json()["used"]["bytes"] >= before + made
    studio.service.jobs.delete(identifier)
    assert not copies.exists()
    assert http.get(f"/jobs/{identifier}/zoom").status_code == 404


def test_old_copies_are_forgotten(http, studio, submit, until):
    """They are made again when they are looked at."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    http.get(f"/jobs/{identifier}/zoom")
    copies = studio.service.jobs.store.copies(identifier)
    studio.service.forget_old_copies(3600)
    assert list(copies.iterdir()) != []
    studio.service.forget_old_copies(0)
    assert list(copies.iterdir()) == []
    assert http.get(f"/jobs/{identifier}/zoom/0/0/0").status_code == 200


def test_adjusting_takes_a_setting_back(http, studio, submit, until):
    """None is the default; what cannot change is refused, also by None."""
    studio.painter.holding.set()
    try:
        identifier = submit(http, strength=0.3, smoothness=2.0)["id"]
        until(http, identifier, "running")
        back = {"settings": {"smoothness": None, "strength": 0.8}}
        adjusted = http.post(f"/jobs/{identifier}/adjust", json=back).json()["settings"]
        assert "smoothness" not in adjusted
        assert adjusted["strength"] == 0.8
        refused = http.post(f"/jobs/{identifier}/adjust", json={"settings": {"size": None}})
        assert refused.status_code == 409
        assert "size cannot change" in refused.json()["error"]
    finally:
        studio.painter.holding.clear()
        http.post(f"/jobs/{identifier}/cancel")


def test_events_of_a_deleted_job_end(http, studio, submit, until):
    """In the middle of the stream, without a word on the server's log."""
    studio.painter.holding.set()
    try:
        identifier = submit(http)["id"]
        until(http, identifier, "running")
        with http.stream("GET", f"/jobs/{identifier}/events") as answer:
            lines = answer.iter_lines()
            assert any(line.startswith("data: ") for line in lines)
            studio.service.jobs.delete(identifier)
            assert not any(line.startswith("data: ") and "error" in line for line in lines if "status" not in line)
    finally:
        studio.painter.holding.clear()


def test_numbers_of_events_of_any_size_are_taken(http, submit, until):
    """Beyond what a database can count there are no events."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    for headers in ({"last-event-id": "9" * 20}, {"last-event-id": "-5"}):
        with http.stream("GET", f"/jobs/{identifier}/events", headers=headers) as answer:
            assert [job["status"] for _, job in events(answer, 10_000)][-1] == "done"
    assert http.get(f"/jobs/{identifier}/events", params={"after": 10**30}).status_code == 422


def test_roles_are_refused_before_pictures_are_read(http, bring):
    """Twelve roles of eight references are refused by their names; so is more of a role than a task takes."""
    picture = bring(http)
    refused = http.post("/jobs", json={"inputs": {f"role{n}": ["sample:none"] for n in range(12)}})
    assert refused.status_code == 422
    assert "has no input 'role0'" in refused.json()["error"]
    refused = http.post("/jobs", json={"inputs": {"content": ["sample:none"] * 2, "styles": [picture]}})
    assert refused.status_code == 422
    assert "content of the task stylize has 2 files" in refused.json()["error"]


def test_more_is_bounded_as_the_job_was(http, submit, until):
    """By the limits of this studio."""
    identifier = submit(http)["id"]
    until(http, identifier, "done")
    refused = http.post(f"/jobs/{identifier}/more", json={"evaluations": 1001})
    assert refused.status_code == 422
    assert "More than 1000 evaluations" in refused.json()["error"]
