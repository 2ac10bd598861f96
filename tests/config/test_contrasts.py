"""Contrasts as they are declared: pairs, and pairs of differences; what is compared if nothing is declared."""

import pytest

from activation_study.config.contrasts import arms_in, as_pairs, default_pairs, question
from activation_study.config.factor import Factor
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

TWO = Factor(("activation", "optimizer"))


def test_four_names_are_a_pair_of_differences() -> None:
    assert as_pairs([["a", "b"], ["a", "b", "c", "d"]]) == [["a", "b"], ["a − b", "c − d"]]
    assert as_pairs(as_pairs([["a", "b", "c", "d"]])) == [["a − b", "c − d"]]
    assert [arms_in(name) for name in ("a", "a − b")] == [["a"], ["a", "b"]]


def test_a_configuration_has_pairs() -> None:
    config = from_hydra(composed(["comparison.contrasts=[[mish/sgd,relu/sgd,mish/adam,relu/adam]]"]))
    assert config.comparison.contrasts == [["mish/sgd − relu/sgd", "mish/adam − relu/adam"]]


@pytest.mark.parametrize("contrast", ["[a]", "[a,a]", "[a,b,c]", "[a,b,a,b]", "[a,a,b,c]", "[a,b,c,c]", "[a,b,b,a]"])
def test_what_compares_nothing_is_refused(contrast: str) -> None:
    with pytest.raises(BadInput, match=r"comparison\.contrasts: .*expected two different names.*or four"):
        from_hydra(composed([f"comparison.contrasts=[{contrast}]"]))


def test_of_one_factor_each_arm_is_compared_with_the_first() -> None:
    assert default_pairs(["relu", "mish", "frelu"], Factor()) == [("mish", "relu"), ("frelu", "relu")]
    assert default_pairs(["relu"], Factor()) == []


def test_of_two_factors_the_effects_within_each_value_and_their_changes_are_compared() -> None:
    names = ["relu/adam", "relu/sgd", "mish/adam", "mish/sgd", "frelu/adam", "frelu/sgd"]
    assert default_pairs(names, TWO) == [
        ("mish/adam", "relu/adam"),
        ("frelu/adam", "relu/adam"),
        ("mish/sgd", "relu/sgd"),
        ("frelu/sgd", "relu/sgd"),
        ("mish/sgd − relu/sgd", "mish/adam − relu/adam"),
        ("frelu/sgd − relu/sgd", "frelu/adam − relu/adam"),
    ]


def test_where_a_combination_is_missing_each_arm_is_compared_with_the_first() -> None:
    names = ["relu/adam", "relu/sgd", "mish/adam"]
    assert default_pairs(names, TWO) == [("relu/sgd", "relu/adam"), ("mish/adam", "relu/adam")]


def test_a_question_is_the_same_whichever_way_around_it_is_asked() -> None:
    assert question(("mish", "relu")) == question(("relu", "mish")) != question(("mish", "frelu"))
    a, b, c, d = "a/x", "b/x", "a/y", "b/y"
    orders = [[a, b, c, d], [c, d, a, b], [a, c, b, d], [b, a, d, c], [d, b, c, a]]
    asked = {question((first, second)) for first, second in as_pairs(orders)}
    assert len(asked) == 1
    (other,) = as_pairs([[a, d, c, b]])
    assert question((other[0], other[1])) not in asked
