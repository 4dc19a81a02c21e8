"""What goes over the wire: requests and answers as models, from which the OpenAPI description is made."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from impasto.jobs import Job
from impasto.studio.form import OFFERED
from impasto.studio.library import Item


def _offered(name: str) -> str:
    if name not in OFFERED:
        raise ValueError(f"choose one of {', '.join(OFFERED)}")
    return name


TaskName = Annotated[str, Field(json_schema_extra={"enum": list(OFFERED)}), AfterValidator(_offered)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=100)]
References = Annotated[list[Reference], Field(max_length=8)]
Title = Annotated[str, StringConstraints(max_length=200)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Request(BaseModel):
    """A request's body; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Submission(Request):
    """A picture to be made.

    Inputs are references: the id of a picture in one's library, ``sample:NAME``, or ``result:JOB`` for the result of
    one's own job. ``key`` makes the submission idempotent: the same key again gives the same job.
    """

    task: TaskName = "stylize"
    inputs: Annotated[dict[str, References], Field(max_length=12)]
    settings: Annotated[dict[str, Any], Field(max_length=100)] = {}
    title: Title = ""
    key: Key | None = None


class Adjustment(Request):
    """Settings to go on with from the current picture; what is not named stays."""

    settings: Annotated[dict[str, Any], Field(max_length=100)]


class More(Request):
    """How much further to go from a result."""

    evaluations: Annotated[int, Field(ge=1, le=20_000)] = 50


class Again(Request):
    """A submission like an earlier one, with other settings where they are named."""

    settings: Annotated[dict[str, Any], Field(max_length=100)] = {}


class Login(Request):
    """A key."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PictureView(BaseModel):
    """A picture in one's library."""

    id: str
    name: str
    width: int
    height: int
    size: int
    created: float

    @classmethod
    def of(cls, item: Item) -> "PictureView":
        """As the page sees it."""
        height, width = item.shape
        return cls(id=item.id, name=item.name, width=width, height=height, size=item.size, created=item.created)


class IngredientView(BaseModel):
    """A picture that a job was made from, as what can be made from again."""

    id: str
    name: str


class ProgressView(BaseModel):
    """How far a job is. ``history`` has pairs of evaluation and value."""

    level: int
    levels: int
    evaluation: int
    evaluations: int
    value: float
    seconds: float
    remaining: float
    history: list[tuple[int, float]]


class JobView(BaseModel):
    """A job. ``preview`` counts up with every new preview, and is 0 before the first."""

    id: str
    task: str
    title: str
    status: str
    settings: dict[str, Any]
    inputs: dict[str, int]
    progress: ProgressView | None
    error: str
    created: float
    started: float | None
    finished: float | None
    preview: int
    result: bool

    @classmethod
    def of(cls, job: Job, *, preview: int, result: bool) -> "JobView":
        """As the page sees it: without what the server knows it by."""
        known = {name: value for name, value in vars(job).items() if name in cls.model_fields}
        counts = {role: len(hashes) for role, hashes in job.inputs.items()}
        return cls.model_validate(
            {**known, "inputs": counts, "preview": preview, "result": result}, from_attributes=True
        )


class SessionView(BaseModel):
    """Who one is, and what one may do."""

    user: str
    locked: bool
    version: str
    limits: dict[str, int]
    used: dict[str, int]


class JobsView(BaseModel):
    """Jobs, the newest first; ``before`` asks for the next page."""

    jobs: list[JobView]
    before: str | None
