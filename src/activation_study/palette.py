"""One colour per class and per activation, everywhere; to be told apart with every kind of colour vision.

Source: Okabe and Ito, "Color Universal Design", 2008, and Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021.
"""

CLASS_COLORS = {
    "sky": "#88CCEE",
    "tree": "#117733",
    "road": "#777777",
    "grass": "#99B933",
    "water": "#332288",
    "building": "#CC6677",
    "mountain": "#AA7744",
    "foreground object": "#F0E442",
    "horizontal": "#999933",
    "vertical": "#882255",
    "interior": "#DDDDDD",
    "border": "#222222",
}
UNKNOWN_COLOR = "#FFFFFF"
_SPARE_COLORS = ("#DDCC77", "#44AA99", "#661100", "#6699CC", "#AA4466", "#000000")


def class_colors(classes: tuple[str, ...]) -> list[str]:
    """The colour of each class, as "#RRGGBB"; a class that is not known here takes a spare one by its place."""
    return [CLASS_COLORS.get(name, _SPARE_COLORS[place % len(_SPARE_COLORS)]) for place, name in enumerate(classes)]


ACTIVATION_COLORS = {
    "relu": "#0072B2",
    "mish": "#E69F00",
    "frelu": "#009E73",
    "silu": "#CC79A7",
    "gelu": "#D55E00",
    "dw_relu": "#56B4E9",
    "relu_dw_relu": "#D55E00",
    "dw_relu_residual": "#CC79A7",
    "frelu_1x1": "#999933",
    "frelu_zero_gamma": "#882255",
}


def activation_colors(names: tuple[str, ...]) -> dict[str, str]:
    """The colour of each activation, as "#RRGGBB"; one that is not known here, or taken, gets a spare one."""
    spare = [color for color in _SPARE_COLORS if color not in ACTIVATION_COLORS.values()]
    found: dict[str, str] = {}
    for name in names:
        color = ACTIVATION_COLORS.get(name)
        found[name] = color if color and color not in found.values() else spare[len(found) % len(spare)]
    return found
