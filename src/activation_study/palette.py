"""One colour per class, everywhere; to be told apart with every kind of colour vision.

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
