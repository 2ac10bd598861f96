import numpy as np

from activation_study.data.scenes.canvas import BUILDING, SKY, TREE, Canvas, Thing
from activation_study.data.scenes.shapes import bgr, ellipses, polygon

RED = bgr(0xFF0000)


def canvas() -> Canvas:
    return Canvas(np.zeros((40, 60, 3), np.uint8))


def square(left: float, upper: float, size: float = 10) -> Thing:
    right, lower = left + size, upper + size
    return Thing(BUILDING, [(polygon(left, upper, right, upper, right, lower, left, lower), RED)])


def test_the_label_is_exactly_what_is_drawn() -> None:
    drawn = canvas()
    drawn.add(Thing(TREE, [(ellipses(20.3, 18.6, 9.4, 7.7), RED), (polygon(20, 20, 44, 12.5, 30, 33), RED)]))
    np.testing.assert_array_equal(drawn.layers == 1, (drawn._pixels == RED).all(axis=-1))
    assert drawn.regions == [SKY, TREE]


def test_a_thing_hides_what_was_there() -> None:
    drawn = canvas()
    drawn.add(square(10, 10))
    drawn.add(square(12, 12, 4))
    assert drawn.layers[10, 10] == 1
    assert drawn.layers[14, 14] == 2
    assert drawn.regions == [SKY, BUILDING, BUILDING]


def test_a_thing_is_cut_off_at_the_edge_and_gets_no_layer_beyond_it() -> None:
    drawn = canvas()
    drawn.add(square(-5, 35))
    assert (drawn.layers == 1).sum() == 6 * 5
    for beyond in (square(-30, 5), square(80, 5), square(5, -30), square(5, 50)):
        drawn.add(beyond)
    assert drawn.regions == [SKY, BUILDING]


def test_a_color_fades_from_the_upper_to_the_lower_edge() -> None:
    drawn = canvas()
    thing = square(10, 10)
    drawn.add(Thing(thing.region, thing.shapes, top=bgr(0x0000FF)))
    blue, _, red = drawn._pixels[10:21, 15].astype(int).T
    assert (np.diff(blue) < 0).all()
    assert (np.diff(red) > 0).all()


def test_shadows_darken_the_image_and_leave_the_labels() -> None:
    drawn = Canvas(np.full((40, 60, 3), 200, np.uint8))
    drawn.cast_shadows([square(20, 20)], sun_side=1)
    assert (drawn._pixels == 130).any()
    assert not drawn.layers.any()
