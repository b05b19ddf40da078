"""The plane that is shown of a model from elsewhere, and what follows it."""

import numpy as np
import pytest

from tests.model.test_outside import VARIANCE, Linear
from tests.support.desk import Desk
from vae_explorer.session.explore.latent_plane import PlaneView
from vae_explorer.session.files.given_model import given_model

LINEAR = Linear(4)


@pytest.fixture
def deep(desk: Desk) -> Desk:
    images = LINEAR.images(70)
    desk.app.model.open_read(given_model(LINEAR, images, likelihood="gaussian", variance=VARIANCE))
    desk.settle()
    return desk


def view(desk: Desk) -> PlaneView:
    found = desk.app.plane.view
    assert found is not None
    return found


def test_two_coordinates_are_shown_and_the_others_moved(deep: Desk) -> None:
    app = deep.app
    assert view(deep).along is None
    assert view(deep).names == ("PC 3", "PC 4")
    said: list[PlaneView | None] = []
    app.plane.changed.connect(said.append)
    app.plane.choose((2, 0))
    deep.settle()
    state = app.map.state
    assert state is not None
    assert state.points is not None
    assert view(deep).along == (2, 0)
    assert view(deep).names == ("z₂", "z₄")
    images = (state.data.train.images / 255).astype(np.float32)
    codes = LINEAR.encode(images)[0]
    np.testing.assert_allclose(state.points.positions, codes[:, [2, 0]], atol=1e-5)
    points = state.points
    app.plane.move(0, 1.5)
    app.plane.move(1, -0.5)
    app.cursor.move(0.25, -1.0)
    deep.settle()
    assert view(deep).others == (1.5, -0.5)
    assert said[-1] == view(deep)
    np.testing.assert_allclose(
        deep.pictures[-1].image,
        LINEAR.decode(np.array([[-1.0, 1.5, 0.25, -0.5]], np.float32))[0].clip(0, 1),
        atol=1e-5,
    )
    state = app.map.state
    assert state is not None
    assert state.points is points, "no image is encoded again"
    app.plane.reset()
    deep.settle()
    np.testing.assert_allclose(view(deep).others, codes.mean(0)[[1, 3]], atol=0.1)
    app.plane.choose(None)
    deep.settle()
    assert view(deep).along is None
    assert not deep.failures


def test_the_other_images_are_put_on_the_plane_as_it_was_moved(deep: Desk) -> None:
    app = deep.app
    app.plane.choose((0, 1))
    deep.settle()
    app.plane.move(1, 2.0)
    deep.settle()
    app.map_settings.set_split("test")
    deep.settle()
    assert view(deep).others[1] == 2.0
    assert not deep.failures


def test_a_model_of_two_dimensions_has_no_plane_to_choose(deep: Desk) -> None:
    app, flat = deep.app, Linear(2)
    app.model.open_read(given_model(flat, flat.images(20)))
    deep.settle()
    assert app.plane.view is None
    for ask in (app.plane.reset, lambda: app.plane.choose((0, 1)), lambda: app.plane.move(0, 1.0)):
        ask()
    deep.settle()
    assert not deep.failures
