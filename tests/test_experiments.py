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
        ("optimizers", (*SMALL, "seed=0,1"), ["┃ optimizer ", "│ lion ", "Muon vs. Adam-AMSGrad: "]),
        ("losses", (*SMALL, "seed=0,1"), ["┃ loss ", "│ tversky ", "cross_entropy_dice vs. cross_entropy: "]),
        ("normalizations", (*SMALL, "seed=0,1"), ["┃ normalization ", "│ instance ", "none vs. batch: "]),
        ("augmentations", (*SMALL, "seed=0,1"), ["┃ augmentation ", "│ flip_crop_color ", "crop vs. none: "]),
        ("networks", ("seed=0,1",), ["┃ network ", "│ deeplab_small ", "segnet_small vs. unet_small: "]),
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
    ],
)
def test_an_experiment_ends_with_its_answer(
    experiment: str, overrides: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    result = command(tmp_path, "train.py", f"experiment={experiment}", *TINY, *overrides, COLUMNS="250")
    assert result.returncode == 0, result.stderr + result.stdout
    for text in expected:
        assert text in result.stdout, text
