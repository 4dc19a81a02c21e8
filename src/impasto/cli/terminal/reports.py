"""What a run will do and what it has done, as tables and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.terminal.progress import duration, size
from impasto.cli.terminal.streams import put, put_table

if TYPE_CHECKING:
    from impasto.runs.plan import Plan
    from impasto.runs.result import Result, Scores
    from impasto.runs.run import Run


def report(
    result: "Result", output: Path | None, notes: Sequence[str] = (), pictures: Sequence[Path] = ()
) -> dict[str, Any]:
    """A finished run as plain data.

    ========== ==============================================================================================
    output     the file that was written, or null
    pictures   of what is no picture, the files of its pictures
    width      of a picture, in pixels, or a volume
    height     likewise
    depth      of a volume alone, its slices
    complete   false if the run was stopped before its last evaluation
    settings   every setting in force, by its name
    losses     by moment, see :func:`scores`: ``optimized`` (the values as computed), ``delivered`` (as the file holds
               them), and of sounds and signals ``started``
    levels     of pictures and volumes, coarse to fine: width, height, evaluations planned, evaluations made
    measures   what else the task found out about it, by name
    timings    seconds for ``setup``, ``descent`` and ``final``
    precision  of the network, fp32 or bf16, where it has a say
    device     where it ran
    notes      sentences about what may be of interest, such as previews that could not be written
    recipe     how it was made, as it is in the file
    ========== ==============================================================================================
    """
    recipe = result.recipe
    made = {record.level: record.evaluation for record in result.history}
    levels = [
        {**sides(tuple(shape)), "planned": planned, "made": made.get(index, 0)}
        for index, (*shape, planned) in enumerate(recipe.get("levels", ()))
    ]
    return {
        "output": None if output is None else str(output),
        **({"pictures": list(map(str, pictures))} if pictures else {}),
        **sides(tuple(result.tensor.shape[2:])),
        "complete": result.complete,
        "settings": result.settings.model_dump(mode="json"),
        "losses": {moment: scores(found) for moment, found in result.losses.items()},
        **({"levels": levels} if levels else {}),
        "measures": dict(result.measures),
        "timings": result.timings,
        **{name: recipe[name] for name in ("precision", "device") if name in recipe},
        "notes": [*notes, *result.notes],
        "recipe": recipe,
    }


def sides(shape: tuple[int, ...]) -> dict[str, int]:
    """The extents of a picture or a volume by name."""
    return dict(zip(("width", "height", "depth"), reversed(shape), strict=False))


def scores(found: "Scores") -> dict[str, Any]:
    """Losses as plain data.

    ``total`` is the weighted sum, ``weighted`` its parts (content, style, smoothness), and ``layers`` holds every
    layer's plain loss by name (``style/conv3_1``).
    """
    return {"total": found.value, "weighted": found.by_kind, "layers": found.losses}


def plan_report(plan: "Plan", run: "Run", writes: Sequence[str] = ()) -> dict[str, Any]:
    """A plan as plain data.

    ``levels`` (coarse to fine: width, height, evaluations), ``evaluations`` of all levels, ``layers`` looked at,
    ``precision``, ``device``, ``memory`` (estimated peak, bytes), ``files`` (temporary ones, bytes), ``seconds``
    (estimated), ``settings`` and ``writes`` (files, by name or by pattern); a level's ``tiles`` are 1 where it is computed whole.
    """
    return {
        "levels": [
            {"width": level.shape[1], "height": level.shape[0], "evaluations": level.evaluations}
            for level in plan.levels
        ],
        "evaluations": plan.evaluations,
        "layers": list(plan.layers),
        "precision": plan.precision,
        "device": plan.device,
        "memory": round(plan.memory),
        "files": round(plan.files),
        "seconds": plan.seconds,
        "settings": run.settings.model_dump(mode="json"),
        "writes": list(writes),
    }


def show_plan(plan: "Plan") -> None:
    """A plan as a table."""
    costs = [level.cost * plan.layouts[level.shape].cost for level in plan.levels]
    rows = [
        (
            f"{index}/{len(plan.levels)}",
            size(level.shape),
            level.evaluations,
            len(plan.layouts[level.shape].tiles or (level,)),
            "" if plan.seconds is None else duration(plan.seconds * cost / sum(costs)),
        )
        for index, (level, cost) in enumerate(zip(plan.levels, costs, strict=True), 1)
    ]
    put_table(("level", "size", "evaluations", "tiles", "time"), rows)
    time = "" if plan.seconds is None else f", about {duration(plan.seconds)}"
    put(
        f"{plan.evaluations} evaluations in {plan.precision} on {plan.device}{time}, {gigabytes(plan.memory)} of memory"
        + (f" and {gigabytes(plan.files)} of temporary files." if plan.files else ".")
    )


def gigabytes(count: float) -> str:
    """Bytes as people say them."""
    return f"{count / 1e9:.1f} GB"
