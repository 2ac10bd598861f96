"""What stands in a drawn scene: trees, buildings and foreground objects."""

import numpy as np

from activation_study.data.scenes.canvas import (
    Canvas,
    Colour,
    Numbers,
    Polygons,
    Shape,
    bgr,
    ellipses,
    pick,
    polygon,
    shade,
    strokes,
    vary,
)
from activation_study.data.scenes.landscape import BUILDING, FOREGROUND, TREE, View
from activation_study.data.scenes.sprites import SPRITES, Sprite

_AUTUMN = (0x9A7A32, 0xA8603A, 0xB08A3A)
_BARKS = (0x5A4632, 0x6E5840, 0x4A4038, 0x8A7C6C)
_WALLS = (0xB0583F, 0xC9A06A, 0xD8B888, 0xC47A55, 0xA85A44, 0xD0A070, 0xE0C8A0, 0x8E8D8B, 0x7C8FA3, 0x8C7A66)
_ROOFS = (0x8A4B3A, 0x5C5A5E, 0x74503E, 0x9C6248, 0x6B7078)
_PANES = (0x3E4C5C, 0x54687C, 0x8FA9BE, 0x2F3640, 0xA9BCC8)
_LIT_PANE = 0xF6D58A
_PAINTS = (0xC8302A, 0xC8302A, 0xE0A020, 0x2A48A8, 0xE8E8E4, 0x2A2C30, 0xB02A60, 0x8E959C, 0x4A7A42)
_CLUMPS, _LEAVES = 16, 90


def cast_shadow(canvas: Canvas, view: View, x: float, y: float, size: tuple[float, float]) -> None:
    """The shadow on the ground of what stands at (x, y), (width, height) large; only a blot under an overcast sky."""
    width, tall = size
    if view.mood == "overcast":
        canvas.darken(ellipses(x, y, width * 0.55, min(width * 0.12, tall * 0.2) + 1), 0.8)
        return
    away = -view.sun_side * tall * 0.35
    canvas.darken(
        ellipses(x + away * 0.5, y, width * 0.45 + abs(away) * 0.5, min(width * 0.1, tall * 0.15) + tall * 0.035 + 1),
        0.62,
    )


def draw_tree(canvas: Canvas, rng: np.random.Generator, view: View, x: float, y: float, _on: int) -> None:
    """A broad-leaved tree, conifer, poplar or bush that stands at (x, y)."""
    kind = rng.choice(4, p=(0.5, 0.22, 0.1, 0.18))
    metres = (rng.uniform(3.5, 8), rng.uniform(4, 10), rng.uniform(6, 11), rng.uniform(0.8, 1.8))[kind]
    tall = min(metres * view.scale(y), canvas.height * 0.9)
    colour = pick(rng, _AUTUMN) if kind == 0 and rng.random() < 0.12 else vary(rng, view.foliage, 0.15)
    trunk = tall * (0.055, 0.04, 0.03, 0.02)[kind] + 1.5
    silhouette = [(strokes(x, y, x + rng.uniform(-0.04, 0.04) * tall, y - tall * 0.6, trunk), pick(rng, _BARKS))]
    cast_shadow(canvas, view, x, y, (tall * (0.6, 0.35, 0.22, 1.0)[kind], tall))
    if kind == 1:
        details = _add_tiers(rng, silhouette, view, (x, y, tall), shade(colour, 0.8))
    else:
        centre, across, up = ((0.66, 0.32, 0.3), (0, 0, 0), (0.55, 0.11, 0.42), (0.42, 0.6, 0.36))[kind]
        details = _add_crown(rng, silhouette, view, (x, y - centre * tall, across * tall, up * tall), colour)
    canvas.add(TREE, silhouette, details, (0.12, rng.uniform(0.05, 0.18), 0.0, 0.0))


def _add_crown(
    rng: np.random.Generator,
    silhouette: list[Shape],
    view: View,
    crown: tuple[float, float, float, float],
    colour: Colour,
) -> list[Shape]:
    """Adds clumps of leaves within an ellipse (x, y, half axes) to the silhouette; returns the leaves."""
    x, y, across, up = crown
    angle, radius = rng.uniform(0, 2 * np.pi, _CLUMPS), np.sqrt(rng.uniform(0.05, 0.8, _CLUMPS))
    clump_x, clump_y = x + np.cos(angle) * radius * across, y + np.sin(angle) * radius * up
    sizes = rng.uniform(0.28, 0.5, (2, _CLUMPS))
    clumps = ellipses(clump_x, clump_y, across * sizes[0], up * sizes[1])
    order = np.argsort(-clump_y)  # the upper clumps get the light and lie in front
    lights = 0.78 + 0.36 * np.linspace(0, 1, _CLUMPS) + 0.08 * view.sun_side * np.cos(angle[order])
    silhouette += [(clumps[i : i + 1], shade(colour, light)) for i, light in zip(order, lights.tolist(), strict=True)]
    half = _LEAVES // 2
    spread_x, spread_y = rng.normal(0, 0.5, (2, _LEAVES))
    spread_x[:half] += 0.3 * view.sun_side
    spread_y += np.where(np.arange(_LEAVES) < half, -0.3, 0.2)
    leaf = max(across * 0.07, 1.0) * rng.uniform(0.6, 1.5, _LEAVES)
    leaves = ellipses(x + spread_x * across, y + spread_y * up, leaf, leaf * 0.8)
    return [(leaves[half:], shade(colour, 0.7)), (leaves[:half], shade(colour, 1.22))]


def _add_tiers(
    rng: np.random.Generator, silhouette: list[Shape], view: View, stand: tuple[float, float, float], colour: Colour
) -> list[Shape]:
    """Adds the tiers of a conifer (x, y, height) to the silhouette; returns their sides in shadow."""
    x, y, tall = stand
    tiers, slim, away = int(rng.integers(4, 7)), rng.uniform(0.16, 0.26), -view.sun_side
    dark = []
    for tier in range(tiers):
        low, wide = y - tall * (0.1 + 0.72 * tier / tiers), tall * slim * (1 - 0.8 * tier / tiers)
        peak, tip = low - tall * 0.3, low - wide * 0.12
        hem = (x - wide, low, x - wide * 0.5, tip, x, low + wide * 0.08, x + wide * 0.5, tip, x + wide, low)
        silhouette.append((polygon(*hem, x, peak), shade(colour, 0.86 + 0.06 * tier)))
        dark.append(polygon(x + away * wide, low, x + away * wide * 0.5, tip, x, low, x + away * wide * 0.1, peak))
        dark.append(polygon(x - wide * 0.8, low, x, low + wide * 0.1, x + wide * 0.8, low, x, low - wide * 0.1))
    return [(np.concatenate(dark), shade(colour, 0.74))]


class Wall:
    """An upright rectangle in perspective, drawn on in metres' shares: u along the ground, v upwards, both 0 to 1.

    Args:
        near, far: the two lower corners (x, y) on the canvas.
        scales: canvas pixels per metre at the two corners.
        metres: height of the wall.
    """

    def __init__(
        self, near: tuple[float, float], far: tuple[float, float], scales: tuple[float, float], metres: float
    ) -> None:
        self.near, self.far, self.scales, self.metres = np.array(near), np.array(far), scales, metres

    def patch(self, u0: Numbers, u1: Numbers, v0: Numbers, v1: Numbers) -> Polygons:
        """Rectangles on the wall as canvas polygons [n, 4, 2]."""
        sides = np.empty((4, max(np.size(side) for side in (u0, u1, v0, v1))))
        sides[0], sides[1], sides[2], sides[3] = u0, u1, v0, v1
        u, v = sides[[0, 1, 1, 0]].T, sides[[2, 2, 3, 3]].T
        near, far = self.scales
        scale = 1 / (1 / near + u * (1 / far - 1 / near))  # equal steps along the wall shrink with distance
        share = u if near == far else (scale - near) / (far - near)
        corners: Polygons = self.near + share[..., None] * (self.far - self.near)
        corners[..., 1] -= v * self.metres * scale
        return corners

    def windows(self, rng: np.random.Generator, columns: int, floors: int, wall: Colour) -> list[Shape]:
        """Window frames and panes in rows, some of them lit, and darker joints between the floors."""
        wide, high, base = rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.65), rng.uniform(0.05, 0.18)
        column, floor = (place.ravel() for place in np.meshgrid(np.arange(columns), np.arange(floors)))
        step = (0.95 - base) / floors
        u, v = (column + 0.5) / columns, base + (floor + 0.5) * step
        half_u, half_v = wide / columns / 2, high * step / 2
        frame = self.patch(u - half_u * 1.2, u + half_u * 1.2, v - half_v * 1.2, v + half_v * 1.2)
        pane = self.patch(u - half_u, u + half_u, v - half_v, v + half_v)
        lit, pane_colour = rng.random(len(u)) < 0.12, pick(rng, _PANES)
        sky = self.patch(u - half_u, u + half_u, v + half_v * 0.35, v + half_v)  # what the upper part reflects
        shapes = [(frame, shade(wall, rng.choice((0.7, 1.25)))), (pane, pane_colour), (sky, shade(pane_colour, 1.3))]
        return [*shapes, (pane[lit], bgr(_LIT_PANE))] if lit.any() else shapes


def draw_building(canvas: Canvas, rng: np.random.Generator, view: View, x: float, y: float, _on: int) -> None:
    """A house with a roof or a taller block, seen from the front, its left lower corner at (x, y)."""
    block = rng.random() < 0.4
    scale = view.scale(y)
    width, tall = (rng.uniform(9, 22), rng.uniform(9, 28)) if block else (rng.uniform(8, 18), rng.uniform(3.2, 7))
    colour, right = pick(rng, _WALLS), x + width * scale
    wall = Wall((x, y), (right, y), (scale, scale), tall)
    silhouette: list[Shape] = [(wall.patch(0, 1, 0, 1), colour)]
    top, deep = y - tall * scale, scale * rng.uniform(2, 5)
    lean = np.sign(view.vanishing_x - (x + right) / 2) * deep  # the side wall that the eye also sees
    edge = right if lean > 0 else x
    lifted = (view.horizon - y) * 0.25
    side = polygon(edge, y, edge + lean, y + lifted, edge + lean, top + (view.horizon - top) * 0.25, edge, top)
    silhouette.append((side, shade(colour, 0.75 if lean * view.sun_side < 0 else 1.1)))
    floors = max(int(tall / 3.2), 1)
    details = wall.windows(rng, int(rng.integers(3, 8)), floors, colour)
    if block:
        details.append((wall.patch(0, 1, 0.97, 1), shade(colour, 0.8)))
    else:
        silhouette += _roof(rng, view, (x, right, top), scale)
        door = rng.uniform(0.1, 0.8)
        details.append((wall.patch(door, door + 1.1 / width, 0, 2.1 / tall), pick(rng, _PAINTS)))
    cast_shadow(canvas, view, (x + right) / 2, y, (right - x, tall * scale * 0.5))
    canvas.add(BUILDING, silhouette, details, (0.05, 0.05, rng.uniform(0, 0.08), 0.02))


def _roof(rng: np.random.Generator, view: View, eaves: tuple[float, float, float], scale: float) -> list[Shape]:
    """A pitched roof over the eaves (left, right, row), its chimney first since it stands behind."""
    left, right, top = eaves
    colour, rise, over = pick(rng, _ROOFS), scale * rng.uniform(1.8, 3.8), scale * 0.5
    inset = (right - left) * rng.choice((0.0, 0.12, 0.5))  # gable end at the side, hipped roof, gable to the front
    stack = left + (right - left) * rng.uniform(0.25, 0.7)
    chimney = strokes(stack, top, stack, top - rise * 1.25, scale * 0.9)
    roof = polygon(
        left - over, top + 1, right + over, top + 1, right - inset + 1, top - rise, left + inset - 1, top - rise
    )
    eave = strokes(left - over, top, right + over, top, scale * 0.3 + 1)
    return [(chimney, shade(colour, 0.8)), (roof, colour), (eave, shade(colour, 0.6))]


def draw_street_side(canvas: Canvas, rng: np.random.Generator, view: View, metres: float) -> None:
    """A row of adjoining fronts along a road, `metres` right of the eye (negative: left), from far to near."""
    spread, beside = canvas.height - view.horizon, canvas.width - view.vanishing_x if metres > 0 else view.vanishing_x
    near, depths = rng.uniform(1.0, 1.6) * beside / abs(metres) * view.eye / spread, []  # begins outside the picture
    for _ in range(int(rng.integers(2, 5))):
        depths.append((near, near * rng.uniform(0.4, 0.7)))
        near = depths[-1][1]
    lit = metres * view.sun_side < 0
    for close, distant in reversed(depths):
        rows = [view.horizon + spread * depth for depth in (close, distant)]
        scales = (view.scale(rows[0]), view.scale(rows[1]))
        corners = [(view.vanishing_x + metres * scale, row) for row, scale in zip(rows, scales, strict=True)]
        tall = rng.uniform(5, 13)
        colour = shade(pick(rng, _WALLS), 1.05 if lit else 0.78)
        wall = Wall(corners[0], corners[1], scales, tall)
        details = wall.windows(rng, int(rng.integers(2, 7)), max(int(tall / 3), 1), colour)
        details.append((wall.patch(0, 1, 0.95, 1), shade(colour, 0.75)))
        if rng.random() < 0.5:
            details.append((wall.patch(0.05, 0.95, 0.02, min(2.6 / tall, 0.4)), pick(rng, _PANES)))
            details.append((wall.patch(0.03, 0.97, 2.6 / tall, 3.2 / tall), pick(rng, _PAINTS)))
        canvas.add(BUILDING, [(wall.patch(0, 1, 0, 1), colour)], details, (0.05, 0.05, rng.uniform(0, 0.06), 0.02))


def draw_object(canvas: Canvas, rng: np.random.Generator, view: View, x: float, y: float, on: int) -> None:
    """A foreground object that is usual on the kind of ground `on`, standing at (x, y)."""
    usual = [sprite for sprite in SPRITES if on in sprite.stands_on]
    weights = np.array([sprite.weight for sprite in usual])
    sprite: Sprite = usual[rng.choice(len(usual), p=weights / weights.sum())]
    tall = rng.uniform(*sprite.metres) * view.scale(y)
    if tall > 0.75 * canvas.height:  # too near to be recognised
        return
    flip = 1 if rng.random() < 0.5 else -1
    colours = sprite.colours(rng, pick(rng, _PAINTS))
    shapes = [
        (np.array((x, y)) + outline * (flip * tall, -tall), shade(colours[ink], 1.0)) for ink, outline in sprite.parts
    ]
    corners = np.concatenate([polygons[0] for polygons, _ in shapes])
    cast_shadow(canvas, view, x, y, (float(np.ptp(corners[:, 0])), tall))
    canvas.add(FOREGROUND, shapes, (), (0.05, 0.04, 0.0, 0.0))
