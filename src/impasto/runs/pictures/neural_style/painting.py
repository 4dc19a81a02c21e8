"""A run of neural-style: from flags to a picture, by projected L-BFGS in this package's [0, 1]."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from impasto import images, machine
from impasto.color import chroma, luminance
from impasto.encoders import Encoder, Parameters, Stack, load
from impasto.engines import Engine, Evaluation
from impasto.errors import SettingsError
from impasto.files import is_file, is_folder
from impasto.images import Picture
from impasto.images.folder import pictures_in
from impasto.losses.normalized_gradient import NormalizedGradient
from impasto.optimizers import LBFGS, Adam, Optimizer, State
from impasto.runs.pictures.neural_style.flags import LBFGS_PAIRS, Flags
from impasto.runs.pictures.neural_style.objective import (
    MEAN,
    RANGE,
    Losses,
    Target,
    in_their_colors,
    resized,
    result_shape,
)

_SPECTRUM = (0.4, 0.1)  # that of pictures, and what goes on descending when these long runs have come near the end
_FALL = (100, 300)  # evaluations between which the one becomes the other


@dataclass(frozen=True, eq=False)
class Moment:
    """Where a run is after an update.

    Args:
        evaluation: evaluations made so far; what both programs call an iteration.
        losses: there, in their units.
        image: the best image so far, (1, 3, H, W), RGB in [0, 1].
        stalled: no direction lowers the loss any more.
    """

    evaluation: int
    losses: Losses
    image: Tensor
    stalled: bool


@dataclass(frozen=True, eq=False)
class Painting:
    """A run, prepared: pictures and network read, everything checked. Made by :meth:`of`.

    The descent differs from theirs in three ways: every value stays in [0, 1], so that nothing is lost when the picture
    is saved; L-BFGS is preconditioned (:class:`impasto.optimizers.LBFGS`), which takes fewer evaluations; and the best
    image seen is kept, not the last.
    """

    flags: Flags
    stack: Stack
    parameters: Parameters
    content: Picture
    styles: tuple[Picture, ...]
    first: Picture | None

    @classmethod
    def of(cls, flags: Flags) -> Self:
        """Read what the flags name.

        Raises:
            ImpastoError: with a sentence on what is wrong with a picture, the network, a layer or a size.
        """
        several = (map(str, pictures_in(name)) if is_folder(name) else [name] for name in flags.style_image)
        paths = [path for paths in several for path in paths]
        if flags.style_blend_weights is not None and len(flags.style_blend_weights) != len(paths):
            raise SettingsError(
                f"-style_blend_weights has {len(flags.style_blend_weights)} numbers for {len(paths)} style images; "
                "give one each."
            )
        weights = None if flags.network and not is_file(flags.model_file) else flags.model_file
        weights = None if flags.network and weights and weights.endswith(".caffemodel") else weights
        stack, parameters = load(flags.network or "", weights, "caffe")  # they show their own colors to every network
        named = flags.init_image if flags.init == "image" else None
        first = None if named is None else images.read(named)
        pictures = [images.read(path) for path in (flags.content_image, *paths)]
        run = cls(flags, stack, in_their_colors(parameters), pictures[0], tuple(pictures[1:]), first)
        deepest = max(map(stack.canonical, flags.content_layers + flags.style_layers), key=stack.depth)
        for shape in (run.shape, *(result_shape(style.shape, flags.style_size) for style in run.styles)):
            stack.extent(deepest, shape)
        return run

    def files(self) -> list[Path]:
        """The files that photo and paintings were read from."""
        pictures = (self.content, *self.styles)
        return [picture.source.path for picture in pictures if picture.source.path is not None]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the result."""
        return result_shape(self.content.shape, self.flags.image_size)

    @cached_property
    def device(self) -> torch.device:
        """Where the run computes."""
        return machine.device(self.flags.device)

    @cached_property
    def photo(self) -> Tensor:
        """The photo at the result's shape."""
        return resized(self.content.pixels, self.shape)

    @cached_property
    def target(self) -> Target:
        """What is minimized."""
        styles = [resized(style.pixels, result_shape(style.shape, self.flags.style_size)) for style in self.styles]
        return Target(self.flags, self.photo, styles)

    def start(self) -> Tensor:
        """The image that the descent begins with: by default their mean color with a trace of noise of the seed."""
        if self.flags.init == "image":
            return self.photo if self.first is None else resized(self.first.pixels, self.shape)
        seed = self.flags.seed if self.flags.seed >= 0 else random.randrange(2**63)
        noise = torch.randn(3, *self.shape, generator=torch.Generator().manual_seed(seed)) * 0.001
        return ((noise.flip(0) + torch.tensor(MEAN).view(3, 1, 1)) / RANGE)[None]

    def run(self) -> Iterator[Moment]:
        """Where the run is after every update, until its evaluations are made or it stalls."""
        if self.device.type == "cpu":
            machine.keep_freed_memory()
        evaluator = _Evaluator(self.target, self.target.engine(self.encoder()), self.flags.gradient_exponent)
        optimizer, budget = self.optimizer_after(0), self.flags.num_iterations
        state = evaluator.settled(optimizer.init(self.start().to(self.device), evaluator))
        best, value = state.image, state.point.value
        yield self._moment(evaluator, state, best)
        while state.evaluations < budget and not state.stalled:
            optimizer = self.optimizer_after(state.evaluations)
            state = evaluator.settled(optimizer.step(state, evaluator, budget - state.evaluations))
            if state.point.value <= value or evaluator.exponent:  # then values do not compare: the last is taken
                best, value = state.image, state.point.value
            yield self._moment(evaluator, state, best)

    def losses(self, *pictures: Tensor) -> list[Losses]:
        """The losses of pictures of the result's shape, in float32 whatever the run's precision."""
        engine = self.target.engine(self.encoder(torch.float32))
        return [self.target.losses(engine, engine.measure(picture.to(self.device))) for picture in pictures]

    def finished(self, image: Tensor) -> Tensor:
        """The picture as it is saved: with ``original_colors`` its luma beside the photo's chroma."""
        picture = image.cpu()
        return with_chroma_of(self.photo, picture) if self.flags.original_colors else picture

    def encoder(self, dtype: torch.dtype | None = None) -> Encoder:
        """The network with their padding, at a precision or the run's."""
        kind = machine.precision(self.flags.precision, self.device) if dtype is None else dtype
        return Encoder(
            self.stack, self.parameters, pooling=self.flags.pooling, padding="zero", dtype=kind, device=self.device
        )

    def optimizer_after(self, evaluations: int) -> Optimizer:
        """The method after so many evaluations."""
        if self.flags.optimizer == "adam":
            return Adam(rate=self.flags.learning_rate / RANGE, betas=(0.9, 0.999))
        (early, late), (first, last) = _SPECTRUM, _FALL
        fallen = min(1.0, max(0.0, (evaluations - first) / (last - first)))
        history = self.flags.lbfgs_num_correction or LBFGS_PAIRS
        return LBFGS(history=history, spectrum=early + (late - early) * fallen)

    def _moment(self, evaluator: "_Evaluator", state: State, best: Tensor) -> Moment:
        assert isinstance(state.point, Evaluation)
        losses = self.target.losses(evaluator.engine, state.point)
        return Moment(state.evaluations, losses, best, state.stalled)


@dataclass(frozen=True, eq=False)
class _Reweighed(Evaluation):
    """An evaluation with normalized gradients, and the weights that make them the gradient of a sum of losses there."""

    weights: dict[str, float]


class _Evaluator:
    """Evaluates images for the optimizer, with gradients normalized or not.

    The Lua program's normalized gradients are no function's. At every image, though, they are the gradient of the sum of
    losses with some weights: this sum is what a line search that begins there goes by.

    Args:
        target: what is minimized.
        engine: evaluates it.
        exponent: of the Lua program's ``-normalize_gradients``.
    """

    def __init__(self, target: Target, engine: Engine, exponent: float) -> None:
        self.target = target
        self.engine = engine
        self.exponent = exponent
        self._normalized = target.normalized(engine) if exponent else engine
        self._lit = False  # as there: not before the content loss is 1
        self._weights = {term.name: term.weight for term in engine.objective.terms}

    def __call__(self, image: Tensor) -> Evaluation:
        engine = self._normalized if self._lit else self.engine
        found = engine.evaluate(image)
        if not self.exponent:
            return found
        weights = {
            term.name: term.weight * (term.loss.factor if isinstance(term.loss, NormalizedGradient) else 1.0)
            for term in engine.objective.terms
        }
        value = _weighed(self._weights, found.losses)
        return _Reweighed(value, found.losses, found.weighted, found.gradient, weights)

    def settled(self, state: State) -> State:
        """The state seen with the weights that belong to its image; the next step is searched for with these."""
        point = state.point
        if not isinstance(point, _Reweighed):
            return state
        self._lit = sum(self.target.losses(self.engine, point).content) >= 1
        self._weights = point.weights
        return replace(state, point=replace(point, value=_weighed(point.weights, point.losses)))


def _weighed(weights: Mapping[str, float], losses: Mapping[str, float]) -> float:
    return sum(weight * losses[name] for name, weight in weights.items())


def with_chroma_of(photo: Tensor, picture: Tensor) -> Tensor:
    """The luma of a picture beside the chroma of a photo, both (1, 3, H, W) (JPEG's YCbCr, ITU-R BT.601)."""
    return (luminance(picture) + chroma(photo)).clamp(0, 1)
