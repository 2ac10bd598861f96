"""The experiments that compare other parts than activations, from the command to the answer, on tiny networks."""

from pathlib import Path

import pytest

from cli_runner import command

pytestmark = pytest.mark.slow
TINY = ("data=scenes", "data.count=20", "data.image_size=32", "training.epochs=1", "tracking=off", "threads=1")
SMALL = ("model.widths=[4,8]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]")


@pytest.mark.parametrize(
    ("experiment", "overrides", "expected"),
    [
        ("optimizers", (*SMALL, "seed=0,1"), ["┃ optimizer ", "│ lion ", "On surfaces (scenes, 2 seeds): "]),
        ("losses", (*SMALL, "seed=0,1"), ["┃ loss ", "│ tversky ", "On surfaces (scenes, 2 seeds): "]),
        (
            "normalizations",
            (*SMALL, "seed=0,1"),
            ["┃ normalization ", "│ instance ", "On surfaces (scenes, 2 seeds): "],
        ),
        (
            "augmentations",
            (*SMALL, "seed=0,1"),
            ["┃ augmentation ", "│ flip_crop_color ", "On surfaces (scenes, 2 seeds): "],
        ),
        ("networks", ("seed=0,1",), ["┃ network ", "│ deeplab_small ", "On surfaces (scenes, 2 seeds): "]),
        ("activations", (*SMALL, "seed=0"), ["┃ activation ", "│ hard_silu ", "Not compared yet"]),
        (
            "interaction",
            (*SMALL, "seed=0,1"),
            [
                "┃ activation and optimizer ",
                "│ mish/sgd ",
                "Is Mish's gain with SGD larger than with Adam? (Mish/SGD − ReLU/SGD)",
            ],
        ),
        (
            "image_sizes",
            (*SMALL, "seed=0,1", "label_type=surfaces", "data.image_size=32,64,224"),
            [
                "┃ activation and image size ",
                "│ frelu/32 ",
                "Is Mish's gain at 224×224 larger than at 64×64? (Mish/224 − ReLU/224)",
            ],
        ),
    ],
)
def test_an_experiment_ends_with_its_answer(
    experiment: str, overrides: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    result = command(tmp_path, "train.py", f"experiment={experiment}", *TINY, *overrides, COLUMNS="250")
    assert result.returncode == 0, result.stderr + result.stdout
    printed = " ".join(result.stdout.split())  # lines may be wrapped
    for text in expected:
        assert text in printed, text
