"""Labels of own data read by ids and by colours, and what is said about the labels of a data set as a whole."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.folders.image_folder import ImageFolder, open_folder
from activation_study.data.labels.class_list import read_classes
from activation_study.data.labels.label_types import LabelType, own_label_type
from activation_study.data.preprocessing import preprocess
from activation_study.errors import BadInput

SIZE = (8, 12)
CAMVID = {"sky": "#808080", "tree": "#808000", "road": "#804080"}
TARGET = np.random.default_rng(0).integers(-1, 3, SIZE).astype(np.int16)


def own(unknown: Any = None, ids: bool = False, colors: bool = True, **options: Any) -> LabelType:
    """Three classes with ids 0, 1, 2 or none; unknown is black by default."""
    entries = [
        {"name": name, **({"id": number} if ids else {}), **({"color": color} if colors else {})}
        for number, (name, color) in enumerate(CAMVID.items())
    ]
    unknown = (["#000000"] if colors else [255]) if unknown is None else unknown
    return own_label_type(read_classes({"classes": entries, "unknown": unknown, **options}))


def painted(target: NDArray[np.int16]) -> NDArray[np.uint8]:
    palette = [(128, 128, 128), (128, 128, 0), (128, 64, 128), (0, 0, 0)]
    return np.array(palette, np.uint8)[target]


def indexed(values: NDArray[Any], palette: list[int]) -> Image.Image:
    image = Image.fromarray(values.astype(np.uint8))
    image.putpalette(palette)
    return image


def save(root: Path, *masks: NDArray[Any] | Image.Image) -> Path:
    """Images of one colour, with these masks."""
    for part in ("images", "labels"):
        (root / part).mkdir(exist_ok=True)
    for number, mask in enumerate(masks):
        image = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
        image.save(root / "labels" / f"{number}.png")
        Image.new("RGB", image.size).save(root / "images" / f"{number}.png")
    return root


def opened(root: Path, label_type: LabelType) -> ImageFolder:
    return open_folder("own", root / "images", root / "labels", label_type, root / "stamps")


def target(root: Path, label_type: LabelType, index: int = 0) -> NDArray[np.int16]:
    return label_type.target(opened(root, label_type).label(index, "own"))


def refusal(root: Path, label_type: LabelType) -> str:
    with pytest.raises(BadInput) as error:
        opened(root, label_type)
    return str(error.value)


# --- colour masks -----------------------------------------------------------------------------------------------------


def test_colour_masks_are_read_by_the_colours_of_the_classes(tmp_path: Path) -> None:
    alpha = np.full((*SIZE, 1), 255, np.uint8)
    shuffled = np.array([3, 1, 0, 2])[TARGET]  # sky, tree, road, unknown are the indices 3, 1, 0, 2
    palette = [128, 64, 128, 128, 128, 0, 0, 0, 0, 128, 128, 128]
    save(tmp_path, painted(TARGET), np.dstack([painted(TARGET), alpha]), indexed(shuffled, palette))
    for index in range(3):
        np.testing.assert_array_equal(target(tmp_path, own(), index), TARGET)


def test_a_colour_mask_of_grey_colours_alone_is_still_read_by_colours(tmp_path: Path) -> None:
    sky_or_void = np.where(TARGET > 0, -1, TARGET)
    save(tmp_path, painted(sky_or_void), painted(sky_or_void)[..., 0])
    for index in range(2):
        np.testing.assert_array_equal(target(tmp_path, own(), index), sky_or_void)


def test_several_colours_may_be_one_class(tmp_path: Path) -> None:
    classes = {"classes": [{"name": "sky", "color": "#808080"}, {"name": "rest", "colors": ["#808000", "#804080"]}]}
    merged = own_label_type(read_classes({**classes, "unknown": ["#000000"]}))
    save(tmp_path, painted(TARGET))
    np.testing.assert_array_equal(target(tmp_path, merged), np.minimum(TARGET, 1))


def test_three_equal_channels_are_ids_where_classes_have_ids(tmp_path: Path) -> None:
    ids = np.where(TARGET < 0, 255, TARGET).astype(np.uint8)
    save(tmp_path, np.dstack([ids] * 3))
    np.testing.assert_array_equal(target(tmp_path, own(ids=True, colors=False)), TARGET)
    np.testing.assert_array_equal(target(tmp_path, own([255], ids=True)), TARGET)


def test_classes_with_ids_and_colours_read_either_kind_of_mask(tmp_path: Path) -> None:
    ids = np.where(TARGET < 0, 255, TARGET).astype(np.uint8)
    save(tmp_path, painted(TARGET), ids)
    both = own([255, "#000000"], ids=True)
    for index in range(2):
        np.testing.assert_array_equal(target(tmp_path, both, index), TARGET)


def test_colours_are_counted_and_named_once_for_the_whole_data_set(tmp_path: Path) -> None:
    masks = [painted(TARGET) for _ in range(3)]
    masks[0][0, :2] = (130, 128, 128)
    masks[2][1, 0] = (130, 128, 128)
    masks[2][1, 1] = (255, 0, 0)
    save(tmp_path, *masks)
    message = refusal(tmp_path, own())
    assert "undeclared colours, neither of a class nor unknown, 1.39% of all pixels, in 2 of 3 labels:\n" in message
    assert "\n    #828080 (nearest: sky #808080, distance 2): 3 pixels in 2 labels, e.g. labels/0.png\n" in message
    assert "\n    #FF0000 (nearest: tree #808000, distance 180): 1 pixel in 1 label, e.g. labels/2.png\n    " in message
    assert "found)" not in message
    assert not message.endswith("these files."), "the classes file is what to mend"
    expected = TARGET.copy()
    expected[1, :2] = -1
    np.testing.assert_array_equal(target(tmp_path, own("others"), 2), expected)


def test_ids_that_are_read_by_colours_are_recognised(tmp_path: Path) -> None:
    save(tmp_path, np.where(TARGET < 0, 3, TARGET).astype(np.uint8))
    message = refusal(tmp_path, own())
    assert "no label has a colour of a class; the most frequent ones are:\n    #0" in message
    assert "or give each class its id, if the values of the labels are ids" in message


def test_colour_masks_of_classes_without_colours_are_refused(tmp_path: Path) -> None:
    save(tmp_path, painted(TARGET))
    for unknown in ([255], "others"):
        message = refusal(tmp_path, own(unknown, ids=True, colors=False))
        assert "1 label with colours, e.g. labels/0.png, but the classes have none: give each class its" in message


def test_colour_masks_of_classes_that_share_a_colour_are_refused_with_it(tmp_path: Path) -> None:
    save(tmp_path, painted(TARGET))
    colors = dict.fromkeys(("B", "C"), "#FF0000") | {"A": "#808080"}
    entries = [{"name": name, "id": index, "color": colors[name]} for index, name in enumerate("ABC")]
    assert (
        "labels/0.png: colours with unequal channels, which are no ids, but the classes B and C share the colour "
        "#FF0000, so no colour is read: give each its own"
    ) in refusal(tmp_path, own_label_type(read_classes({"classes": entries})))
    chosen = own_label_type(read_classes({"classes": entries, "read_by": "ids"}))
    assert "which are no ids, but the classes say read_by: ids" in refusal(tmp_path, chosen)


def test_a_mask_that_can_be_read_in_two_ways_is_refused_with_both(tmp_path: Path) -> None:
    entries = [{"name": "sky", "id": 0, "color": "#808080"}, {"name": "tree", "id": 128, "color": "#000000"}]
    grey = np.where(TARGET > 0, 128, 0).astype(np.uint8)
    save(tmp_path, np.dstack([grey] * 3))
    message = refusal(tmp_path, own_label_type(read_classes({"classes": entries})))
    assert "#808080 is tree by its id 128 and sky by its colour (" in message
    assert "`read_by: ids` or `read_by: colors`" in message
    chosen = {way: own_label_type(read_classes({"classes": entries, "read_by": way})) for way in ("ids", "colors")}
    np.testing.assert_array_equal(target(tmp_path, chosen["ids"]), TARGET > 0)
    np.testing.assert_array_equal(target(tmp_path, chosen["colors"]), TARGET <= 0)


def test_every_undeclared_value_is_counted_but_few_are_listed(tmp_path: Path) -> None:
    mask = np.full((30, 40, 3), 128, np.uint8)
    mask[..., 0] = np.arange(1200).reshape(30, 40) // 256 + 10
    mask[..., 1] = np.arange(1200).reshape(30, 40) % 256
    save(tmp_path, mask, mask)
    message = refusal(tmp_path, own())
    assert "\n    and 1,195 more\n    declare these, or give" in message
    assert max(map(len, message.splitlines())) < 250
    sky = mask.copy()
    sky[0] = 128
    save(tmp_path, sky)
    assert "\n    and 1,195 more\n    declare them, or write" in refusal(tmp_path, own())


def test_files_are_to_be_mended_only_if_one_is_wrong_by_itself(tmp_path: Path) -> None:
    ids = np.where(TARGET < 0, 9, TARGET).astype(np.uint8)
    save(tmp_path, ids, ids)
    assert refusal(tmp_path, own(ids=True, colors=False)).endswith(f"`labels/…` in {tmp_path / 'labels'}.")
    deep = own(ids=True, unknown=[], read_by="colors")
    Image.fromarray(ids.astype(np.uint16)).save(tmp_path / "labels" / "0.png")
    assert "labels/0.png: no colours (16 bits" in refusal(tmp_path, deep)
    assert "Fix or remove" not in refusal(tmp_path, deep)
    (tmp_path / "labels" / "1.png").write_bytes(b"no image")
    assert refusal(tmp_path, deep).endswith("Fix or remove these files.")


# --- palettes ---------------------------------------------------------------------------------------------------------


def test_a_palette_that_contradicts_the_classes_is_refused_with_both_readings(tmp_path: Path) -> None:
    ids = np.where(TARGET < 0, 2, TARGET)
    save(tmp_path, indexed(ids, [128, 128, 0, 128, 128, 128, 128, 64, 128]))  # sky and tree exchanged
    message = refusal(tmp_path, own([], ids=True))
    assert "palettes contradict the classes:\n" in message
    assert "index 0 is sky by its id and tree by its colour #808000 (" in message
    assert "index 1 is tree by its id and sky by its colour #808080 (" in message
    np.testing.assert_array_equal(target(tmp_path, own([], ids=True, read_by="ids")), ids)
    np.testing.assert_array_equal(target(tmp_path, own([], ids=True, read_by="colors")), np.array([1, 0, 2])[ids])


def test_a_palette_of_other_shades_does_not_matter(tmp_path: Path) -> None:
    ids = np.where(TARGET < 0, 2, TARGET)
    save(tmp_path, indexed(ids, [0, 0, 0, 128, 0, 0, 0, 128, 0]))
    np.testing.assert_array_equal(target(tmp_path, own([], ids=True)), ids)


def test_palettes_that_number_the_colours_of_each_file_anew_are_refused_with_both_ways_out(tmp_path: Path) -> None:
    first = indexed(TARGET < 0, [0, 0, 0, 128, 0, 0])
    second = indexed(TARGET < 0, [0, 0, 0, 0, 128, 0])
    save(tmp_path, first, second)
    plain = own([], ids=True, colors=False)
    message = refusal(tmp_path, plain)
    ones = int((TARGET < 0).sum())
    assert (
        "palettes differ between labels:\n"
        f"    index 1 is #800000 ({ones} pixels in 1 label, e.g. labels/0.png) or #008000 ({ones} pixels in 1 label, "
        "e.g. labels/1.png)\n"
        "    if each file numbers its colours anew, give each class its colour and write `read_by: colors` in the "
        "classes file; if the indices mean the same in all files, write `read_by: ids`"
    ) in message
    np.testing.assert_array_equal(target(tmp_path, own([], ids=True, colors=False, read_by="ids")), TARGET < 0)


def test_grey_gif_labels_have_ids_of_their_own_in_each_file(tmp_path: Path) -> None:
    save(tmp_path)
    for number, high in enumerate((1, 2)):
        Image.fromarray(np.where(TARGET < 0, high, 0).astype(np.uint8)).save(tmp_path / "labels" / f"{number}.gif")
        Image.new("RGB", SIZE[::-1]).save(tmp_path / "images" / f"{number}.png")
    for number, high in enumerate((1, 2)):
        np.testing.assert_array_equal(
            target(tmp_path, own([], ids=True, colors=False), number), np.where(TARGET < 0, high, 0)
        )


def test_chosen_colours_contradict_no_palette(tmp_path: Path) -> None:
    six = own_label_type(read_classes({"classes": [{"name": f"c{number}", "id": number} for number in range(6)]}))
    assert six.colors[5] == "#000000"  # chosen, and the usual colour of index 0
    save(
        tmp_path,
        indexed(np.arange(96).reshape(SIZE) % 6, [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128, 9, 9, 9]),
    )
    assert len(opened(tmp_path, six).names) == 1


def test_indices_that_are_no_ids_are_named_with_the_palette_that_fits(tmp_path: Path) -> None:
    save(tmp_path, indexed(np.where(TARGET < 0, 8, TARGET + 7), [9] * 21 + [128, 128, 128, 128, 128, 0, 128, 64, 128]))
    message = refusal(tmp_path, own([], ids=True))
    assert "undeclared ids, neither of a class nor unknown, 100.00% of all pixels, in 1 of 1 label:\n    " in message
    assert "`read_by: colors` in the classes file reads by them" in message


# --- many classes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("classes", "dtype"), [(127, np.int8), (128, np.int16), (255, np.int16)])
def test_labels_of_many_classes_are_prepared_without_loss(classes: int, dtype: type, tmp_path: Path) -> None:
    entries = [{"name": f"c{number}", "id": number} for number in range(classes)]
    many = own_label_type(read_classes({"classes": entries, "unknown": [255]}))
    ids = np.arange(256).reshape(16, 16).astype(np.uint8)
    ids[ids >= classes] = 255
    source = opened(save(tmp_path, ids), many)
    labels = preprocess(source, many, (16, 16), "rgb", "nearest", tmp_path / "cache").labels
    assert labels.dtype == dtype
    expected = ids.astype(int)
    np.testing.assert_array_equal(labels[0], np.where(expected == 255, -1, expected))
    assert len(set(many.colors)) == classes


# --- what stays -------------------------------------------------------------------------------------------------------


def test_classes_without_colours_keep_the_key_of_their_prepared_labels() -> None:
    plain = LabelType("own", ("a", "b"), ids=((0,), (7, 300)), unknown=(255,))
    assert plain.key == "own-9f7bfe63"
    assert own(ids=True, colors=False).key != own(ids=True).key, "masks may be read by these colours"
    assert own(ids=True, read_by="ids", unknown=[]).key == own(ids=True, colors=False, unknown=[]).key
