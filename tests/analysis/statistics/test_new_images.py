"""The interval for new images: against its formula by hand, a jackknife, and the limits that it must have."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.statistics.crossed import FEW_UNITS
from activation_study.analysis.statistics.new_images import NewImages, on_new_images, pseudo_values
from activation_study.analysis.statistics.paired import paired
from activation_study.metrics import mean_iou


def runs(generator: np.random.Generator, seeds: int, images: int, right: float = 0.8) -> np.ndarray:
    """Confusions [seeds, images, 3, 2] of images of 100 pixels."""
    truth = generator.integers(20, 80, images)
    counts = np.zeros((seeds, images, 3, 2), np.int64)
    for seed, image in product(range(seeds), range(images)):
        hits = [generator.binomial(pixels, right) for pixels in (truth[image], 100 - truth[image])]
        counts[seed, image] = [[hits[0], truth[image] - hits[0]], [100 - truth[image] - hits[1], hits[1]], [0, 0]]
    return counts


def names(count: int) -> list[str]:
    return [f"{number:04}" for number in range(count)]  # in the order of the units


def arms(seeds: int, images: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.random.default_rng(9).integers(20, 80, images)
    both = []
    for right, generator in ((0.85, np.random.default_rng(1)), (0.8, np.random.default_rng(2))):
        counts = np.zeros((seeds, images, 3, 2), np.int64)
        for seed, image in product(range(seeds), range(images)):
            hits = [generator.binomial(pixels, right) for pixels in (truth[image], 100 - truth[image])]
            counts[seed, image, :2] = [[hits[0], truth[image] - hits[0]], [100 - truth[image] - hits[1], hits[1]]]
        both.append(counts)
    return both[0], both[1]


def pseudo_differences(a: np.ndarray, b: np.ndarray, units: list[str]) -> np.ndarray:
    return pseudo_values(a, units) - pseudo_values(b, units)


def compared(a: np.ndarray, b: np.ndarray, units: list[str]) -> NewImages | None:
    return on_new_images(pseudo_differences(a, b, units))


def test_two_seeds_and_two_images_by_hand() -> None:
    # One class; correct pixels of the images, of 10 each: the union is 10, so IoU = correct / 20 in sum.
    def confusions(correct: list[list[int]]) -> np.ndarray:
        return np.array([[[[c, 10 - c], [0, 0], [0, 0]] for c in row] for row in correct])

    a, b = confusions([[8, 6], [9, 7]]), confusions([[6, 6], [8, 4]])
    # Pseudo-values of one class with equal unions are those of the images: correct / 10.
    x = np.array([[0.2, 0.0], [0.1, 0.3]])
    np.testing.assert_allclose(pseudo_differences(a, b, names(2)), x, atol=1e-12)
    # Means: seeds 0.1, 0.2; images 0.15, 0.15; all 0.15. S = 2 · (0.05² + 0.05²) / 1 = 0.01; I = 0;
    # E = 4 · 0.1² / 1 = 0.04. A = 0, V = 0.01 / 4 = 0.0025, ν = 1: half = 12.7062 · 0.05.
    new = compared(a, b, names(2))
    assert new is not None
    assert new.difference.value == pytest.approx(0.15)
    assert new.difference.high == pytest.approx(0.15 + 12.7062047 * 0.05, rel=1e-6)
    assert (new.seeds, new.images, new.both, new.units) == (0.0, 0.0, 1.0, 2)


def test_the_interval_is_that_of_the_formula_in_sums() -> None:
    a, b = arms(5, 60)
    assert FEW_UNITS <= 60
    x = pseudo_differences(a, b, names(60))
    n, m = x.shape
    of_seeds, of_images, mean = x.mean(axis=1), x.mean(axis=0), x.mean()
    s = sum(m * (value - mean) ** 2 for value in of_seeds) / (n - 1)
    i = sum(n * (value - mean) ** 2 for value in of_images) / (m - 1)
    e = sum((x[r, c] - of_seeds[r] - of_images[c] + mean) ** 2 for r in range(n) for c in range(m)) / (n - 1) / (m - 1)
    added = max(i - e, 0)
    freedom = (n - 1) * ((s + added) / s) ** 2
    half = max(
        stats.t.ppf(0.975, freedom) * np.sqrt((s + added) / (n * m)), stats.t.ppf(0.975, n - 1) * np.sqrt(s / (n * m))
    )
    new = compared(a, b, names(60))
    assert new is not None
    assert new.difference.high - new.difference.value == pytest.approx(half)
    parts = np.array([max(s - e, 0), added, e])
    np.testing.assert_allclose([new.seeds, new.images, new.both], parts / parts.sum())


def test_the_pseudo_values_have_the_differences_of_the_seeds_as_means_and_agree_with_the_jackknife() -> None:
    a, b = arms(3, 400)
    x = pseudo_differences(a, b, names(400))
    differences = mean_iou(a.sum(axis=1)) - mean_iou(b.sum(axis=1))
    np.testing.assert_allclose(x.mean(axis=1), differences)
    without_one = [mean_iou(np.delete(a[0], k, 0).sum(0)) - mean_iou(np.delete(b[0], k, 0).sum(0)) for k in range(400)]
    jackknife = 400 * differences[0] - 399 * np.array(without_one)
    np.testing.assert_allclose(x[0], jackknife, atol=0.02)


def test_an_arm_against_itself_differs_by_nothing() -> None:
    a, _ = arms(4, 30)
    new = compared(a, a, names(30))
    assert new is not None
    assert (new.difference.value, new.difference.low, new.difference.high) == (0.0, 0.0, 0.0)


def test_where_only_seeds_vary_the_interval_is_that_of_the_paired_t() -> None:
    a, b = (np.repeat(arm, 60, axis=1) for arm in arms(6, 1))  # sixty equal images
    new, expected = compared(a, b, names(60)), paired(mean_iou(a.sum(1)), mean_iou(b.sum(1))).difference
    assert new is not None
    assert (new.difference.low, new.difference.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("seeds", [2, 5, 12])
@pytest.mark.parametrize("images", [2, 7, 80])
def test_the_interval_is_never_narrower_than_on_this_test_set(seeds: int, images: int) -> None:
    generator = np.random.default_rng([seeds, images])
    for _ in range(20):
        a, b = (runs(generator, seeds, images) for _ in range(2))
        b[..., 0, :] = a[..., 0, :]
        new, here = compared(a, b, names(images)), paired(mean_iou(a.sum(1)), mean_iou(b.sum(1))).difference
        assert new is not None
        assert new.difference.high >= here.high - 1e-12


def test_copies_of_an_image_and_the_images_of_a_group_count_once() -> None:
    a, b = arms(5, 60)
    twice_a, twice_b = (np.concatenate([arm, arm], axis=1) for arm in (a, b))
    single, copies = compared(a, b, names(60)), compared(twice_a, twice_b, names(60) * 2)
    assert single is not None
    assert copies is not None
    assert copies.difference.high == pytest.approx(single.difference.high)
    assert copies.units == 60


def test_one_unit_or_one_seed_says_nothing() -> None:
    a, b = arms(3, 10)
    assert compared(a, b, ["film"] * 10) is None
    assert compared(a[:1], b[:1], names(10)) is None
