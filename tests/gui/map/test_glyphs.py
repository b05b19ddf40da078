import numpy as np

from vae_explorer.gui.map.glyphs import class_places, glyph_texts


def test_a_glyph_stands_in_the_thick_of_its_class_not_at_its_mean() -> None:
    generator = np.random.default_rng(0)
    # Class 3 is a ring with one thick spot: its mean, the middle, is empty.
    angles = generator.uniform(0, 2 * np.pi, 500)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 2
    spot = generator.normal((2.0, 0.0), 0.05, (500, 2))
    other = generator.normal((-1.0, 1.0), 0.05, (300, 2))
    positions = np.concatenate([ring, spot, other]).astype(np.float32)
    labels = np.repeat(np.array([3, 7], np.uint8), [1_000, 300])
    places = class_places(positions, labels)
    assert places.keys() == {3, 7}
    np.testing.assert_allclose(places[3], (2.0, 0.0), atol=0.2)
    np.testing.assert_allclose(places[7], (-1.0, 1.0), atol=0.2)


def test_sparse_classes_and_places_that_are_no_numbers_do_not_count() -> None:
    positions = np.zeros((40, 2), np.float32)
    positions[20:30] = np.nan
    labels = np.repeat(np.array([0, 1, 2], np.uint8), [20, 10, 10])
    labels[-1] = 5
    assert class_places(positions, labels).keys() == {0, 2}
    labels[:10] = 2
    assert [*class_places(positions, labels)] == [2, 0], "the largest first"


def test_no_points_no_places() -> None:
    assert class_places(np.empty((0, 2), np.float32), np.empty(0, np.uint8)) == {}
    nowhere = np.full((9, 2), np.inf, np.float32)
    assert class_places(nowhere, np.zeros(9, np.uint8)) == {}


def test_a_million_points_are_sampled() -> None:
    positions = np.random.default_rng(1).normal((1.0, -1.0), 0.2, (100_000, 2)).astype(np.float32)
    places = class_places(positions, np.full(100_000, 4, np.uint8))
    np.testing.assert_allclose(places[4], (1.0, -1.0), atol=0.3)


def test_names_that_begin_alike_are_told_apart() -> None:
    assert glyph_texts(("7", "Ankle boot", "Butterflyfishes")) == (
        "7",
        "Ankle boot",
        "Butterflyfi…",
    )
    texts = glyph_texts(("Butterfly with one wing", "Butterfly without wings", "Butterfly wi"))
    assert texts == ("Butte…e wing", "Butte… wings", "Butterfly wi")
    assert glyph_texts(("Bull mastiff dog",)) == ("Bull mastif…",)
    assert glyph_texts(("Great Dane or dog",)) == ("Great Dane…",)
    middle = glyph_texts(("Butterfly (1) in the sun", "Butterfly (2) in the sun"))
    assert len({*middle}) == 2
    assert max(map(len, middle)) <= 12
