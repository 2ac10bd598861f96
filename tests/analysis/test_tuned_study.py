"""A study whose arms were tuned: what is compared, what its answer is about, and the report of its searches."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.packed.pack import pack_study
from activation_study.analysis.results import read_study
from activation_study.analysis.tuning_sentences import tuning_sentences
from activation_study.config.search_space import Choices, Range
from activation_study.errors import BadInput
from activation_study.report.study_report import ReportOptions, make_report
from activation_study.report.tuning_section import tuning_figures
from fake_runs import write_run
from fake_trials import a_search, a_trial
from tuned_study import KEY, SPACE, write_tuned


def findings(study: Path) -> Findings:
    conditions, problems = read_study(study)
    return compare_study(study.name, conditions, problems, [])


@pytest.fixture
def study(tmp_path: Path) -> Path:
    write_tuned(tmp_path / "s")
    return tmp_path / "s"


def test_several_tuned_values_of_an_arm_stand_in_parentheses(tmp_path: Path) -> None:
    space = {**SPACE, "training.batch_size": {"choices": [16, 32]}}
    write_tuned(tmp_path / "s", space=space)
    assert ": ReLU (0.003, 16) and Mish (0.0098, 16). The answer is" in findings(tmp_path / "s").summary[1]


def test_the_tuned_arms_decide_and_the_answer_is_about_the_values_found(study: Path) -> None:
    result = findings(study)
    (main,) = result.main
    assert {arm.name: {run.config["optimizer"]["learning_rate"] for run in arm.records} for arm in main.arms} == {
        "relu": {3e-3},
        "mish": {9.8e-3},
    }
    summary = result.summary
    assert summary[0].startswith("On surfaces, optimizer.learning_rate=tuned (scenes, 5 seeds): Mish is above ReLU by ")
    assert summary[1] == (
        "On surfaces, optimizer.learning_rate was tuned on validation, by a search of 3 trials for each activation: "
        "ReLU 0.003 and Mish 0.0098. The answer is about the values that were found: another search may find others."
    )
    assert summary[3] == (
        "The search of ReLU mistook luck for good values: its best trial had 60.0 % on validation, and runs with the "
        "same values and other seeds have 50.0 % on average, with a standard deviation of 0.0 points. Several seeds "
        "per trial, e.g. tuning.seeds=3, show such noise to the search."
    )
    assert summary[2].startswith("The best optimizer.learning_rate of Mish lies at the edge of its range")
    assert not any("differ in more than" in each for each in summary), "tuned keys may differ between arms"


def test_whether_the_difference_depends_on_the_rate_is_a_difference_of_differences(study: Path) -> None:
    sentence = findings(study).summary[-1]
    ((base, changes),) = [(each.base, each.changes) for each in findings(study).ablations]
    assert base.searches == ()
    change = changes[0].changes["mish", "relu"]
    assert change.value == pytest.approx(0.1, abs=0.06)
    assert sentence.startswith("Do the differences on surfaces depend on optimizer.learning_rate? From the configured ")
    assert "Mish − ReLU goes from " in sentence
    assert sentence.endswith(
        "A change is shown for Mish − ReLU (95 % intervals over seeds, not corrected for their number)."
    )


def test_without_a_change_none_is_shown(tmp_path: Path) -> None:
    write_tuned(tmp_path / "s", levels={"relu": 0.7, "mish": 0.7})
    assert "No change is shown (95 %" in findings(tmp_path / "s").summary[-1]


def test_another_setting_that_differs_is_still_named(tmp_path: Path) -> None:
    write_tuned(tmp_path / "s", batch_sizes={"relu": 16, "mish": 8})
    (sentence,) = [each for each in findings(tmp_path / "s").summary if "differ in more than" in each]
    assert sentence.endswith("training.batch_size is 16 with ReLU, 8 with Mish.")


def test_one_search_per_seed_is_a_claim_about_the_arm_tuned(tmp_path: Path) -> None:

    write_tuned(tmp_path / "s")
    (main,) = findings(tmp_path / "s").main
    searches = tuple(replace(search, of_seed=seed) for search in main.searches for seed in range(2))
    (sentence, *_) = tuning_sentences(replace(main, searches=searches))
    assert sentence.endswith(
        "for each activation and seed. So the answer is about each activation, tuned in this way, and its intervals "
        "include what another search would find."
    )


def test_of_several_folds_each_has_its_own_values(study: Path) -> None:
    (main,) = findings(study).main
    searches = tuple(replace(search, fold=fold) for search in main.searches for fold in range(2))
    (sentence, *_) = tuning_sentences(replace(main, searches=searches))
    assert "by a search of 3 trials for each activation and fold. The answer is about the values that were" in sentence


def test_an_unfinished_search_makes_the_study_incomplete(tmp_path: Path) -> None:
    write_tuned(tmp_path / "s", trials=5)
    with pytest.raises(BadInput, match="search of relu: 3 of 5 trials"):
        read_study(tmp_path / "s")


def test_a_pruned_trial_is_no_unfinished_run(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_tuned(study, trials=4)
    for name in ("relu", "mish"):
        config = json.loads(next(study.glob(f"*{name}-seed1000-*/run.json")).read_text())["config"]
        config = {"tuning": {**config["tuning"], "trial": 3}, "training": config["training"]}
        write_run(study, name, 1000, learning_rate=2e-4, config=config, status="PRUNED")
    (main,) = findings(study).main
    assert [search.count("pruned") for search in main.searches] == [1, 1]
    assert findings(study).problems == ()


def test_the_report_has_the_budget_the_trials_and_the_sensitivity(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_report(study, ReportOptions(pictures=False))
    text = (folder / "report.md").read_text()
    assert "20 runs, after 6 trials for tuned values." in text
    assert "## surfaces: tuning (scenes)" in text
    assert "| ReLU | 3 | 0 | 0 | 3 | 0.00 | 0.003 | 60.0 | 50.0 ± 0.0 |" in text
    assert "| Mish | 3 | 0 | 0 | 3 | 0.00 | 0.0098 (at the edge) | 60.0 | 50.0 ± 0.0 |" in text
    assert (folder / "figures/surfaces-tuning-sensitivity.svg").exists() or "Sensitivity" in text
    lines = (folder / "trials.csv").read_text().splitlines()
    assert lines[1] == "surfaces,relu,0,finished,optimizer.learning_rate,0.001,0.5,1,2.0,scenes,"
    assert len(lines) == 7
    assert "1000" not in {line.split(",")[3] for line in (folder / "runs.csv").read_text().splitlines()}


def test_a_packed_study_keeps_its_searches(study: Path, tmp_path: Path) -> None:

    pack_study(study, tmp_path / "packed/s")
    assert findings(tmp_path / "packed/s").summary == findings(study).summary


def test_words_and_ranges_of_single_arms_are_drawn(study: Path) -> None:
    (main,) = findings(study).main
    words = Choices(("cosine", "constant"))
    searches = []
    for arm, low in (("relu", 1e-4), ("mish", 1e-2)):
        space = {KEY: Range(low, 100 * low, log=True), "schedule": words}
        trials = [
            replace(a_trial(number, 10 * low, 0.5 + number / 100), values={KEY: 10 * low, "schedule": word})
            for number, word in enumerate(words.values)
        ]
        searches.append(a_search(trials, space=space, arm=arm))
    condition = replace(main, searches=tuple(searches))
    (sensitivity, trials_figure) = tuning_figures(condition, main)
    assert "constant" in sensitivity.svg, "a word is a tick"
    assert "None" in sensitivity.svg, "and so is the value of runs as configured, which have no schedule here"
    assert ">1<" in trials_figure.svg.replace(" ", ""), "the axis reaches the end of the range of either arm"
