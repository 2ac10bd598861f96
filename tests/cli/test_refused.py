"""Command lines that name what does not exist, or say two things at once: the message has the mend."""

from pathlib import Path

import pytest

from mistyped import Line, answer  # in benchmarks/

SWEPT = "hydra: {sweeper: {params: {activation: 'relu,mish'}}}"
SCENES = ("data=scenes", "data.count=5", "dry_run=true")
REFUSED = [
    ("compare", ("study=",), "study=NAME is needed"),
    ("compare", ("study=multirun/a",), "expected study=a folder=multirun"),
    ("compare", ("study=a", "contrasts=[mish,relu]"), "contrasts=[mish,relu]: expected a list of lists, e.g. [[a,b]]"),
    ("compare", ("study=a", "contrasts=[[mish]]"), "contrasts: ['mish']: expected two different names"),
    ("inspect", ("seed=-1",), "seed=-1: expected 0 or more"),
    ("compare", ("study=[a,b]",), "study=[a,b]: expected one value"),
    ("reproduce", ("run=",), "run=RUN is needed"),
    ("predict", ("run=x", "images=a", "output="), "output=: expected a file or folder"),
    ("watch", ("study=multirun/a", "once=true"), "expected study=a folder=multirun"),
    ("watch", ("study=b", "folder=c"), "or give their folder as folder=PATH"),
    ("sync", ("study=a", "sync=false"), "sync=false: expected sync=all"),
    ("sync", ("study=a", "dry_run=true"), "dry_run=true and sync=true exclude each other"),
    ("sync", ("study=a", "zebra=1"), "zebra: unknown key; `activation-study sync --help` shows the keys"),
    ("train", (*SCENES, "folder="), "folder=: expected a file or folder"),
    ("train", (*SCENES, "--dry-run"), "a key is written without dashes: dry_run=VALUE"),
    ("train", (*SCENES, "precision=fp16"), "precision: unknown key; did you mean training.precision?"),
    (
        "train",
        (*SCENES, "protocol=article_with/nope"),
        "protocol=article_with/nope: expected one of article, article_with/bilinear,",
    ),
    ("train", (*SCENES, "~training.epochs"), "a key of the configuration cannot be removed"),
    ("train", (*SCENES, "activation.layer=5"), "expected keys with values: activation.layer.KEY=VALUE"),
    ("train", (*SCENES, "seeds=auto"), "seeds=auto needs a sweep over activations: -m activation=relu,mish"),
    ("train", (*SCENES, "-m", "seeds=auto", "seed=0,1"), "seed=0,1 and seeds=auto exclude each other"),
    ("train", (*SCENES, "-m", "seeds=auto", "activation=relu"), "expected two or more activations"),
    ("train", (*SCENES, "-m", "seeds=auto", "comparison.looks=[8,5]"), "comparison.looks=[8, 5]: expected up to 20"),
    (
        "train",
        ("data=scenes", "-m", "seeds=auto", "hydra/sweeper=basic"),
        "seeds=auto needs hydra/sweeper=study, the default",
    ),
    ("train", (*SCENES, "seeds=5"), "seeds=5: expected auto or null"),
    (
        "train",
        (*SCENES, "comparison.futility=1"),
        "comparison.futility=1: expected a probability of at least 0 and below",
    ),
    ("train", (*SCENES, "-m", "seed=interval(0,3)"), "seed=interval(0,3): expected values"),
    ("train", (*SCENES, "-m", "seed=glob(*)"), "glob picks options of a group"),
    ("train", (*SCENES, "-m", "activation=glob(zz*)"), "nothing matches; expected some of dw_relu,"),
    ("train", (*SCENES, "-m", "activation=glob([re*,mi*])", "sed=1"), "error: sed: unknown key; did you mean seed?"),
    (
        "train",
        (*SCENES, "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        "hydra.launcher.n_jobs: unknown key; expected hydra.launcher.processes or hydra.launcher.jobs_per_gpu",
    ),
]


@pytest.mark.parametrize(("command", "arguments", "message"), REFUSED)
def test_the_message_has_the_mend(
    command: str, arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "multirun/a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # of whoever calls; Hydra would print its own errors
    given = answer(Line(command, arguments))
    assert given.code == 2, given.error
    assert given.error.startswith("error: ")
    assert message in given.error


def test_a_leading_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given = answer(Line("train", (*SCENES, "folder=~/runs")))
    assert given.output.startswith(f"1 run of {tmp_path}/home/runs/default: 1 new")


@pytest.mark.parametrize(
    ("experiments", "message"),
    [
        ("plan", "dry_run=true needs hydra/sweeper=study, the default; "),
        ("two,three", "a sweep over experiments needs hydra/sweeper=study, the default; "),
    ],
)
def test_what_another_sweeper_would_not_do_is_refused_and_nothing_is_left_behind(
    experiments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine/experiment").mkdir(parents=True)
    for name, text in (("plan", "dry_run: true"), ("two", SWEPT), ("three", SWEPT)):
        (tmp_path / f"mine/experiment/{name}.yaml").write_text(f"# @package _global_\n{text}\n")
    monkeypatch.chdir(tmp_path)
    line = ("--config-dir", "mine", f"experiment={experiments}", "data=scenes", "-m", "seed=0,1", "hydra/sweeper=basic")
    given = answer(Line("train", line))
    assert given.code == 2
    assert message in given.error
    assert not list(tmp_path.glob("multirun/*"))
