"""Where a picture comes from: what is written into it, and what a checkpoint must agree with."""

from typing import TYPE_CHECKING, Any

import torch

import impasto
from impasto import machine
from impasto.choices import file_and_colors
from impasto.descent import Record
from impasto.encoders.weights import WEIGHTS
from impasto.images import Picture
from impasto.runs.result import Scores
from impasto.settings import INITS

if TYPE_CHECKING:
    from impasto.runs.run import Transfer


def identity(run: "Transfer") -> dict[str, Any]:
    """What must agree for a checkpoint to be a run's: the precision as it was found, not the word that asked for it.

    Memory, processes and the device need not: they change the picture's rounding at most.
    """
    return {
        **run.settings.model_dump(mode="json", exclude={"device"}),
        "precision": precision_name(run.encoder.dtype),
        "content": [run.content.source.sha256, *run.content.shape],
        "styles": [[style.source.sha256, *style.shape] for style in run.styles],
        "files": _files(run),
        "masks": {} if run.places is None else run.places.references,
        "impasto's version": impasto.__version__,
    }


def recipe(run: "Transfer", history: tuple[Record, ...], delivered: Scores | None, *, stopped: bool) -> dict[str, Any]:
    """How a run made its picture, as plain data.

    Args:
        run: the run.
        history: one record per step.
        delivered: the losses of what is in the file; None before they are measured.
        stopped: whether it was stopped before its last evaluation.
    """
    return {
        "impasto": impasto.__version__,
        "torch": torch.__version__,
        "task": "stylize",
        "settings": run.settings.given(),
        "seed": run.settings.seed,
        "in_force": run.settings.model_dump(mode="json"),  # a later version may have other defaults
        "inputs": {
            "content": _reference(run.content),
            "styles": [_reference(style) for style in run.styles],
            **_files(run),
            **({} if run.places is None else run.places.references),
        },
        "precision": precision_name(run.encoder.dtype),
        "device": str(run.device),
        **_threads(run),
        "levels": [[*level.shape, level.evaluations] for level in run.levels],
        **_resources(run),
        "evaluations": sum({record.level: record.evaluation for record in history}.values()),
        "complete": not stopped,
        "losses": {} if delivered is None else {"total": delivered.value, **delivered.by_kind},
    }


def precision_name(dtype: torch.dtype) -> str:
    """``bf16`` or ``fp32``."""
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def _threads(run: "Transfer") -> dict[str, int]:
    """How many threads computed: sums in another order are rounded otherwise, and a descent amplifies that."""
    count = machine.threads(run.device)
    return {} if count is None else {"threads": count}


def _resources(run: "Transfer") -> dict[str, Any]:
    """In how many tiles each level was computed, and by how many processes; nothing if all were whole."""
    counts = [len(run.layouts[level.shape].tiles or ()) for level in run.levels]
    return {"tiles": counts, "processes": run.budget.group.size} if any(counts) else {}


def _files(run: "Transfer") -> dict[str, dict[str, str]]:
    """The files that settings name."""
    files = {}
    if run.settings.init not in INITS and run.source is not None:
        files["init"] = _reference(run.source)
    if run.settings.weights is not None:
        path, _ = file_and_colors(run.settings.weights)
        files["weights"] = {"name": path.name, "sha256": WEIGHTS.sha256(path)}
    return files


def _reference(picture: Picture) -> dict[str, str]:
    return {"name": picture.source.name, "sha256": picture.source.sha256}
