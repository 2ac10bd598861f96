"""An encoder that starts with trained weights: what is copied, what is refused, what becomes of activations."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study import backend
from activation_study.config.component_problems import weights_file_digest
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

TINY = (
    "data=scenes", "data.image_size=16", "model.widths=[4,6]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]",
)  # fmt: skip


def config_of(*overrides: str) -> Config:
    return from_hydra(composed([*TINY, *overrides]))


@pytest.fixture
def some_file(tmp_path: Path) -> Path:
    path = tmp_path / "best.keras"
    path.write_bytes(b"weights")
    return path


def test_the_content_of_the_file_and_not_its_place_decides_the_identity(some_file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.keras"
    copy.write_bytes(some_file.read_bytes())
    plain, one, two = (
        identity(resolved(config_of("activation.scope=decoder", *further)))
        for further in ([], [f"model.encoder_weights={some_file}"], [f"model.encoder_weights={copy}"])
    )
    assert one == two != plain
    copy.write_bytes(b"others")
    assert identity(resolved(config_of("activation.scope=decoder", f"model.encoder_weights={copy}"))) != one


def test_activations_are_exchanged_in_the_decoder_alone_unless_told(some_file: Path) -> None:
    given = f"model.encoder_weights={some_file}"
    assert config_of("activation=mish").activation.scope == "all"
    assert config_of("activation=mish", given).activation.scope == "decoder"
    assert config_of("activation=mish", given, "activation.scope=all").activation.scope == "all"


def test_a_missing_file_is_refused_before_anything_else() -> None:
    with pytest.raises(BadInput, match=r"model\.encoder_weights=nothing\.keras: No such file"):
        config_of("model.encoder_weights=nothing.keras")


def network(*overrides: str) -> Any:
    from activation_study.model.build import untrained_network

    backend.configure_backend(None, "float32")
    return untrained_network(config_of(*overrides), 3)


def load(built: Any, path: Path, digest: str | None = None) -> None:
    from activation_study.model.encoder_weights import load_encoder_weights

    load_encoder_weights(built, path, digest or weights_file_digest(path))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with other weights than it starts with."""
    source = network("seed=7")
    source.set_weights([weight + 0.5 for weight in source.get_weights()])
    path: Path = tmp_path_factory.mktemp("trained") / "best.keras"
    source.save(path)
    return path


@pytest.mark.integration
def test_the_encoder_gets_the_weights_of_the_file_and_the_decoder_keeps_its_own(trained: Path) -> None:
    built, fresh, source = network(), network(), network("seed=7")
    load(built, trained)
    for layer in built.layers:
        expected = source if layer.name.startswith("encoder") else fresh
        shift = 0.5 if layer.name.startswith("encoder") else 0
        for weight, other in zip(layer.get_weights(), expected.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_allclose(weight, other + shift, atol=1e-6)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model.widths=[4,8]"], "encoder2_block1_conv: filters=6 in the file"),
        (["activation=gelu"], "encoder1_block1_activation: ReLU in the file, Activation gelu here"),
        (["activation=mish"], "encoder1_block1_activation: ReLU in the file, Activation mish here"),
        (["normalization=layer"], "encoder1_block1_norm: BatchNormalization in the file, GroupNormalization here"),
        (["model.encoder_blocks=[1,2]"], "encoder2_block2_conv: missing in the file"),
        (
            ["model.widths=[4,6,8]", "model.encoder_blocks=[1,1,1]", "model.decoder_blocks=[1,1]"],
            "encoder2_pool: missing",
        ),
    ],
)
def test_another_encoder_is_refused_and_nothing_changes(trained: Path, overrides: list[str], message: str) -> None:
    built = network(*overrides)
    before = built.get_weights()
    with pytest.raises(BadInput, match=message):
        load(built, trained)
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), before, strict=True))


@pytest.mark.integration
def test_a_run_s_file_fits_where_its_activation_has_another_class_there(tmp_path: Path) -> None:
    from activation_study.model.portable import portable

    portable(network("activation=mish", "seed=7")).save(tmp_path / "best.keras")
    built = network("activation=mish")
    load(built, tmp_path / "best.keras")
    expected = network("activation=mish", "seed=7").get_layer("encoder2_block1_conv").get_weights()
    np.testing.assert_array_equal(built.get_layer("encoder2_block1_conv").get_weights()[0], expected[0])


@pytest.mark.integration
def test_a_deeper_encoder_in_the_file_is_refused(tmp_path: Path) -> None:
    network("model.encoder_blocks=[1,2]").save(tmp_path / "deep.keras")
    with pytest.raises(BadInput, match="encoder2_block2_conv: only in the file"):
        load(network(), tmp_path / "deep.keras")


@pytest.mark.integration
def test_another_number_of_groups_is_refused(tmp_path: Path) -> None:
    network("normalization=layer").save(tmp_path / "layer.keras")
    with pytest.raises(BadInput, match="encoder1_block1_norm: groups=1 in the file"):
        load(network("normalization=instance"), tmp_path / "layer.keras")


@pytest.mark.integration
def test_a_damaged_file_is_refused(some_file: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load(network(), some_file)


@pytest.mark.integration
def test_a_file_that_changed_since_its_digest_was_recorded_is_refused(trained: Path) -> None:
    built = network()
    before = built.get_weights()
    with pytest.raises(BadInput, match="the file has changed since the start; start again"):
        load(built, trained, "0" * 64)
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), before, strict=True))
