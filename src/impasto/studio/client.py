"""A studio from Python: submit, watch, fetch.

>>> from impasto.studio.client import Client
>>> with Client("http://127.0.0.1:7860") as studio:  # doctest: +SKIP
...     job = studio.submit("photo.jpg", "painting.jpg", size=1024)
...     for news in studio.watch(job["id"]):
...         print(news["status"], news["progress"])
...     Path("out.png").write_bytes(studio.result(job["id"]))
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from impasto.errors import ImpastoError

Picture = str | Path | bytes
"""A file's path or its bytes; or a reference: ``sample:NAME``, ``result:JOB``."""


class StudioError(ImpastoError):
    """What a studio refused, with its status and its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Client:
    """A connection to a studio. Jobs and pictures are the dictionaries of its HTTP API; what it refuses is a StudioError.

    Args:
        address: where it is, such as ``http://127.0.0.1:7860``.
        key: the key that opens it, if it is locked.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, address: str = "http://127.0.0.1:7860", key: str | None = None, timeout: float = 60) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=f"{address.rstrip('/')}/api/v1", headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Jobs go on."""
        self._http.close()

    def upload(self, picture: str | Path | bytes, name: str = "picture") -> dict[str, Any]:
        """Bring a picture into one's library; its ``id`` refers to it."""
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        name = name if isinstance(picture, bytes) else Path(picture).name
        headers = {"content-type": "application/octet-stream"}
        return self._said("POST", "/pictures", params={"name": name}, content=data, headers=headers)

    def submit(
        self,
        content: Picture | None = None,
        styles: Picture | Sequence[Picture] = (),
        *,
        task: str = "stylize",
        init: Picture | None = None,
        title: str = "",
        key: str | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """Put a job into the queue; arguments as for :func:`impasto.stylize`.

        Args:
            content: the photo.
            styles: a painting, or several.
            task: ``stylize``, ``texture`` or ``reconstruct``.
            init: a picture to start from.
            title: what to call it.
            key: submitted twice with the same key, the job is there once.
            settings: single settings.
        """
        several: Sequence[Picture] = [styles] if isinstance(styles, (str, bytes, Path)) else styles
        inputs = {
            "content": [] if content is None else [self._reference(content)],
            "styles": [self._reference(style) for style in several],
            "init": [] if init is None else [self._reference(init)],
        }
        body = {"task": task, "inputs": inputs, "settings": settings, "title": title, "key": key}
        return self._said("POST", "/jobs", json=body)

    def job(self, id: str) -> dict[str, Any]:  # noqa: A002
        """A job as it is now."""
        return self._said("GET", f"/jobs/{id}")

    def jobs(self, search: str = "", limit: int = 24) -> list[dict[str, Any]]:
        """One's newest jobs."""
        return list(self._said("GET", "/jobs", params={"search": search, "limit": limit})["jobs"])

    def act(self, id: str, verb: str, **body: Any) -> dict[str, Any]:  # noqa: A002
        """Steer a job: ``pause``, ``resume``, ``stop``, ``cancel``, ``retry``; ``adjust`` with ``settings``.

        ``more`` with ``evaluations`` and ``again`` with ``settings`` give a new job.
        """
        return self._said("POST", f"/jobs/{id}/{verb}", json=body)

    def delete(self, id: str) -> None:  # noqa: A002
        """Delete a job that is over."""
        self._said("DELETE", f"/jobs/{id}")

    def watch(self, id: str) -> Iterator[dict[str, Any]]:  # noqa: A002
        """The job whenever it changes, until it is over."""
        timeout = httpx.Timeout(60)  # a stream that lives says so every 15 seconds
        with self._http.stream("GET", f"/jobs/{id}/events", timeout=timeout) as answer:
            if answer.is_error:
                answer.read()
                raise _refused(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def wait(self, id: str) -> dict[str, Any]:  # noqa: A002
        """The job once it is over."""
        for _ in self.watch(id):
            pass
        return self.job(id)

    def preview(self, id: str) -> bytes:  # noqa: A002
        """The latest picture, a small JPEG."""
        return self._bytes(f"/jobs/{id}/preview")

    def result(self, id: str) -> bytes:  # noqa: A002
        """The result, a PNG that says how it was made."""
        return self._bytes(f"/jobs/{id}/result")

    def recipe(self, id: str) -> dict[str, Any]:  # noqa: A002
        """How the result was made."""
        return self._said("GET", f"/jobs/{id}/recipe")

    def _reference(self, picture: Picture) -> str:
        if isinstance(picture, str) and picture.startswith(("sample:", "result:")):
            return picture
        return str(self.upload(picture)["id"])

    def _bytes(self, path: str) -> bytes:
        return self._ask("GET", path).content

    def _said(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        answer = self._ask(method, path, **arguments)
        return dict(answer.json()) if answer.content else {}

    def _ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        answer = self._http.request(method, path, **arguments)
        if answer.is_error:
            raise _refused(answer)
        return answer


def _refused(answer: httpx.Response) -> StudioError:
    try:
        sentence = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        sentence = f"The studio answered {answer.status_code}."
    return StudioError(answer.status_code, sentence)
