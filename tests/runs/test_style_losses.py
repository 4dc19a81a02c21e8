"""Style transfer with every style loss, with several at once, and with several styles."""

import pytest

from impasto.losses import STYLE_LOSSES

ALIKE = {"size": 48, "coarsest": 48, "evaluations": 8}
FUSED = {"gram": 1.0, "mmd-linear": 3.0}


@pytest.fixture(scope="session")
def terms(prepare):
    """A function that makes the objective's terms of a run, by name."""

    def made(content, styles, **values):
        run = prepare(content, styles, **ALIKE, **{"content_loss": "squared", **values})
        return {term.name: term for term in run.targets(run.encoder).engine_at(run.levels[-1].shape).objective.terms}

    return made


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_every_style_loss_is_lowered(paint, photo, painting, name):
    """A few evaluations from the photo bring its own losses down, and the style's part of the objective with them."""
    result = paint(photo, painting, **ALIKE, style_losses=name, strength=0.9)
    first, last = result.history[0].losses, result.optimized.losses
    own = [term for term in last if term.startswith("style/")]
    assert own == [f"style/conv{block}_1" + ("" if name == "gram" else f"/{name}") for block in (1, 2, 3)]
    assert all(0 < last[term] < 0.9 * first[term] for term in own)
    assert set(result.optimized.by_kind) == {"content", "style"}


def test_losses_are_fused(paint, photo, painting):
    """Two losses at every layer, each lowered and each reported, add up to one style."""
    result = paint(photo, painting, **ALIKE, style_losses="gram,moments:0.5", strength=0.9)
    first, last = result.history[0].losses, result.optimized.losses
    for layer in ("conv1_1", "conv2_1", "conv3_1"):
        for term in (f"style/{layer}", f"style/{layer}/moments"):
            assert last[term] < 0.9 * first[term]
    assert set(result.optimized.by_kind) == {"content", "style"}
    assert result.settings.style_losses == {"gram": 1.0, "moments": 0.5}
    assert result.recipe["settings"]["style_losses"] == {"gram": 1.0, "moments": 0.5}


@pytest.mark.parametrize("weights", [{"strength": 0.4}, {"content_weight": 1.0, "style_weight": 5.0}], ids=str)
def test_fusion_shares_the_weight(terms, photo, painting, weights):
    """A loss with a quarter of the weights counts a quarter of what it counts alone, with the same target."""
    alone = {name: terms(photo, painting, style_losses=name, **weights) for name in FUSED}
    both = terms(photo, painting, style_losses=FUSED, **weights)
    gram, linear = "style/conv2_1", "style/conv2_1/mmd-linear"
    assert both[gram].weight == pytest.approx(alone["gram"][gram].weight / 4, rel=1e-12)
    assert both[linear].weight == pytest.approx(alone["mmd-linear"][linear].weight * 3 / 4, rel=1e-12)
    assert both[gram].loss.target.equal(alone["gram"][gram].loss.target)
    assert both[linear].loss.target.equal(alone["mmd-linear"][linear].loss.target)


def test_loss_without_a_weight_is_left_out(terms, photo, painting):
    """It is not even computed."""
    named = terms(photo, painting, style_losses="gram,wasserstein:0")
    assert [term for term in named if term.startswith("style/")] == ["style/conv1_1", "style/conv2_1", "style/conv3_1"]


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_strength_weighs_relative_losses(terms, photo, painting, name):
    """Whatever the loss, its weight is the strength's square over the layers, relative to a picture without features."""
    for term in terms(photo, painting, style_losses=name, strength=0.6).values():
        if term.kind == "style":
            assert term.weight * term.loss.size() == pytest.approx(0.36 / 3, rel=1e-6)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_blends_are_of_statistics(terms, photo, painting, other_painting, name):
    """The target of a blend lies between those of its styles, where the shares say; no share, no say."""
    term = "style/conv2_1" + ("" if name == "gram" else f"/{name}")

    def target(styles, **values):
        return terms(photo, styles, style_losses=name, **values)[term].loss.target

    first, second = target([painting]), target([other_painting])
    assert target([painting, other_painting], blend=(2, 0)).equal(first)
    assert target([painting, other_painting], blend=(0, 1)).equal(second)
    if not STYLE_LOSSES[name].additive:  # it has not statistics but samples
        return
    if name not in {"mmd-gaussian", "histogram"}:  # these have the first style's bandwidth and bins
        mean = 0.25 * first + 0.75 * second
        assert target([painting, other_painting], blend=(1, 3)).allclose(mean, rtol=1e-4, atol=1e-6)
    halves = target([painting, other_painting, painting], blend=(1, 6, 1))
    assert halves.allclose(target([painting, other_painting], blend=(1, 3)), rtol=1e-4, atol=1e-6)
