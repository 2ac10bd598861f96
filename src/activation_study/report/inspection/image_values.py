"""What the image files of a data set hold: types, channels and ranges of values."""

from collections import defaultdict
from collections.abc import Sequence

from activation_study.data.images.image_reader import ImageFacts, ImageReader
from activation_study.errors import counted
from activation_study.report.elements import Table


def image_kinds(facts: Sequence[ImageFacts]) -> list[dict[str, object]]:
    """Each type of values with each number of channels: `type`, `channels`, `images`, `low`, `high`; frequent first."""
    by_kind = defaultdict(list)
    for each in facts:
        by_kind[each.dtype, each.channels].append(each)
    return [
        {
            "type": dtype,
            "channels": channels,
            "images": len(group),
            "low": min(each.low for each in group),
            "high": max(each.high for each in group),
        }
        for (dtype, channels), group in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def image_values_table(facts: Sequence[ImageFacts], reader: ImageReader) -> Table:
    """The same as a table, with what the network receives."""
    rows = [
        (
            str(kind["type"]),
            str(kind["channels"]),
            str(kind["images"]),
            f"{kind['low']:g}",
            f"{kind['high']:g}",
        )
        for kind in image_kinds(facts)
    ]
    received = counted(reader.channels, "channel")
    if reader.value_range is not None:
        received += f", in which {reader.value_range[0]:g} is 0 and {reader.value_range[1]:g} is 255"
    caption = f"Values in the image files. The network receives 8 bits in {received}."
    return Table(("type", "channels", "images", "lowest value", "highest value"), tuple(rows), caption)
