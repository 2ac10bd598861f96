"""The protocols: what each sets, which one is the default, and which one a configuration follows."""

from pathlib import Path

import pytest

from activation_study.config.identity import flatten
from activation_study.config.protocols import Followed, choices, default_protocol, followed_protocol
from activation_study.config.schema import resolved
from activation_study.validation import from_hydra
from hydra_compose import composed

OWN = ("data=folder", "data.images=i", "data.labels=l")


def followed(*overrides: str) -> str:
    return str(followed_protocol(resolved(from_hydra(composed(overrides)))))


@pytest.fixture
def own(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]\n")
    return (*OWN, f"data.classes={tmp_path}/classes.yaml")


def test_both_protocols_make_the_same_choices_differently() -> None:
    article, modern = choices("article"), choices("modern")
    assert article.keys() == modern.keys()
    assert {key for key in article if article[key] == modern[key]} == {"training.early_stopping.min_delta"}


def test_the_default_is_the_articles_for_its_own_data_and_the_drawn_scenes(own: tuple[str, ...]) -> None:
    assert [followed(), followed("data=scenes")] == ["article", "article"]
    assert [followed("data=camvid"), followed(*own)] == ["modern", "modern"]
    assert default_protocol("a_data_set_of_somebodys_own") == "modern"


def test_the_article_restores_every_choice_on_own_data(own: tuple[str, ...]) -> None:
    values = flatten(resolved(from_hydra(composed([*own, "protocol=article"]))))
    assert {key: values[key] for key in choices("article")} == choices("article")


def test_single_keys_and_options_of_groups_override_a_protocol(own: tuple[str, ...]) -> None:
    assert followed(*own, "data.channel_order=bgr") == "modern, except data.channel_order=bgr"
    assert followed(*own, "augmentation=none") == "modern, except augmentation.name=none"
    assert followed("loss.unlabeled=ignored") == "article, except loss.unlabeled=ignored"
    assert followed("experiment=demo") == "article, except normalization.momentum=0.9"


def test_an_option_of_another_group_does_not_restore_the_article(own: tuple[str, ...]) -> None:
    for option in ("training=quick", "loss=cross_entropy", "evaluation=article", "normalization=batch"):
        assert followed(*own, option) == "modern"


def test_a_configuration_is_told_by_its_values_not_by_the_name_that_was_typed() -> None:
    every = [f"{key}={value}" for key, value in choices("modern").items() if not key.startswith("augmentation.")]
    assert followed("protocol=article", *every, "augmentation=flip") == "modern"
    other = "augmentation.steps=[]"
    assert followed("protocol=article", *every, "augmentation=flip", other) == f"modern, except {other}"
    assert followed("protocol=article_with/rgb") == "article, except data.channel_order=rgb"


def test_a_record_without_a_key_does_not_deviate_in_it() -> None:
    assert followed_protocol({"data": {"channel_order": "bgr"}}) == Followed("article", {})
