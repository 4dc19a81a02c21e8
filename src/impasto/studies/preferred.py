"""The picture that a unit or a channel likes best, made by the descent that also paints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.descent import Descent, Level
from impasto.encoders import IMAGE, Conv, Encoder, Stack
from impasto.engines import Engine
from impasto.errors import LayerError
from impasto.losses import ActivationLoss, ContentLoss, TotalVariationLoss
from impasto.objective import Objective, Term
from impasto.optimizers import LBFGS
from impasto.optimizers.spectrum import Spectrum
from impasto.studies.scanning import Progress

_CONTRAST = 0.05  # standard deviation of the start's colors around gray
_SAMPLES = 8  # positions along an axis over which a channel's spread is measured


@dataclass(frozen=True)
class Preference:
    """How a preferred picture is made.

    Args:
        whole: raise the channel's mean over all positions instead of the unit in the center.
        evaluations: of the objective, over all rounds.
        rounds: how many descents it is made in; each begins with the picture shifted, so that it cannot settle into the
            grid that poolings look through.
        jitter: the largest distance from its place along an axis, in strides of the layer, rounded down to pixels.
        smoothness: lambda, the weight of the total variation times the layer's stride.
        contrast: mu, the weight of the squared distance from gray.
        seed: of the start and the shifts.
        size: the picture's side for a channel; a unit's picture is its receptive field.
    """

    whole: bool = False
    evaluations: int = 48
    rounds: int = 4
    jitter: float = 0.5
    smoothness: float = 1.25
    contrast: float = 1.0
    seed: int = 0
    size: int = 128


def unrectified(encoder: Encoder, layer: str) -> Encoder:
    """The network up to a convolution, without that convolution's ReLU.

    Where a unit is silent its ReLU has no derivative; before the ReLU there is always a way up.

    Raises:
        LayerError: if the layer is not a convolution.
    """
    layers = encoder.stack.until(layer)
    last = layers[-1] if layers else None
    if not isinstance(last, Conv):
        raise LayerError(f"{layer} is not a convolution and has no units of its own; name a layer such as conv3_1.")
    same = {name: getattr(encoder, name) for name in ("pooling", "padding", "dtype", "device")}
    stack = Stack(encoder.stack.name, (*layers[:-1], replace(last, rectified=False)))
    return Encoder(stack, encoder.parameters, **same)


def preferred(
    encoder: Encoder, layer: str, unit: int, how: Preference | None = None, *, progress: Progress | None = None
) -> Tensor:
    r"""The picture x that raises a unit of a convolution (Erhan et al. 2009; Simonyan et al. 2014, section 2).

    .. math:: \min_{x \in [0, 1]} -a(x) / a_0 + \lambda s \, TV(x) + \mu \, \lVert x - 1/2 \rVert^2 / 2 N M

    a is the activation before the ReLU, in the center or on average over all positions, and s the layer's stride.
    :math:`a_0` is what the rounds before have gained, or if that is less, the channel's standard deviation over the
    positions of such noise; so :math:`\lambda` and :math:`\mu` mean the same for every unit, and the picture does not
    depend on the network's channel scales. High frequencies are held back threefold: the start is noise in which all
    octaves are equally strong, the optimizer's preconditioner favors what varies slowly, and TV penalizes the rest.

    Returns:
        (1, 3, s, s) in [0, 1], for a unit its receptive field.

    Raises:
        LayerError: if the layer is not a convolution.
    """
    how = how or Preference()
    bare = unrectified(encoder, layer)
    stride, radius = bare.stack.stride(layer), bare.stack.radius(layer)
    reach = math.ceil(radius / stride)
    side = max(1, round(how.size / stride)) if how.whole else 2 * reach + 1
    shape = (side * stride, side * stride)
    loss = ActivationLoss(unit, None if how.whole else (reach, reach))
    start = colored_noise(shape, how.seed).to(bare.device, bare.image_dtype)
    image = _ascend(bare, layer, loss, start, how=how, progress=progress)
    inset = 0 if how.whole else reach * stride - radius
    return image[..., inset : shape[0] - inset, inset : shape[1] - inset].cpu()


def _activation(encoder: Encoder, image: Tensor, layer: str, loss: ActivationLoss) -> float:
    (_, features), *_ = encoder.features(image, (layer,))
    return -float(loss.value(features))


def _spread(encoder: Encoder, layer: str, channel: int, seed: int) -> float:
    """The standard deviation of a channel over noise, away from borders, which make it respond to the padding."""
    stride = encoder.stack.stride(layer)
    reach = math.ceil(encoder.stack.radius(layer) / stride)
    side = (2 * reach + _SAMPLES) * stride
    noise = colored_noise((side, side), seed).to(encoder.device, encoder.image_dtype)
    (_, features), *_ = encoder.features(noise, (layer,))
    inner = features[:, channel, reach : reach + _SAMPLES, reach : reach + _SAMPLES]
    return float(inner.double().std(correction=0))


def _ascend(
    encoder: Encoder, layer: str, loss: ActivationLoss, image: Tensor, *, how: Preference, progress: Progress | None
) -> Tensor:
    """Descents in rounds, each of which begins with the picture shifted and weighs the activation anew."""
    counts = [len(part) for part in torch.arange(how.evaluations).chunk(how.rounds)]
    shape = tuple(image.shape[2:])
    others = (
        Term("smoothness", IMAGE, TotalVariationLoss(), how.smoothness * encoder.stack.stride(layer)),
        Term("contrast", IMAGE, ContentLoss(torch.full_like(image, 0.5)), how.contrast),
    )
    origin = _activation(encoder, image, layer, loss)
    least = _spread(encoder, layer, loss.channel, how.seed)
    done = 0
    moves = shifts(len(counts), int(how.jitter * encoder.stack.stride(layer)), how.seed)
    for count, shift in zip(counts, moves, strict=True):
        image = image.roll(shift, (2, 3))
        weight = 1 / (max(_activation(encoder, image, layer, loss) - origin, least) or 1.0)
        engine = Engine(encoder, Objective((Term("activation", layer, loss, weight), *others)))
        for snapshot in Descent([Level(shape, count)], {shape: engine}.__getitem__, LBFGS()).run(image):
            image = snapshot.best
            if progress:
                progress(done + snapshot.state.evaluations, how.evaluations)
        done += count
    return image


def shifts(rounds: int, most: int, seed: int) -> list[tuple[int, int]]:
    """A shift for every round, which together lead back to the picture's place."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(-most, most + 1, (rounds, 2), generator=generator)
    places[-1] = 0
    steps = places.diff(dim=0, prepend=torch.zeros(1, 2, dtype=places.dtype))
    return [(int(y), int(x)) for y, x in steps]


def colored_noise(shape: Sequence[int], seed: int) -> Tensor:
    """Gray (1, 3, H, W) with faint noise whose amplitudes fall as one over the frequency, as in natural images."""
    noise = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(seed))
    smooth = Spectrum(0.5)(noise)
    smooth = smooth - smooth.mean()
    return (0.5 + _CONTRAST * smooth / smooth.std()).clamp_(0, 1)
