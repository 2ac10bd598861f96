"""Command lines that cannot work, made from the schemas of the commands, and how each is answered.

`tests/cli/test_mistyped.py` checks the answers; as a program it prints how long they take.
"""

import io
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import MISSING, dataclass
from statistics import median

from hydra.core.global_hydra import GlobalHydra
from hydra.core.singleton import Singleton

from activation_study.cli.commands import COMMANDS
from activation_study.cli.main import main
from activation_study.config.fields import declared, holds_text
from activation_study.config.schema import Config
from activation_study.location import SCRIPTS, conf_dir

SEED = 0
PER_KIND = 3  # of each kind and command, at most; 2 of commands with the whole configuration, which takes longest
# Together with these, a line that is right after all does nothing.
HARMLESS = {"train": ["data=scenes", "data.count=5", "dry_run=true"]}
ODD = (
    *("seed=(1", 'seed="1', "seed='", "seed=${nope}", "seed=${oc.env:NOPE}", "seed=${now:}", "{", "]", "++", "~", "@"),
    *(
        "~seed",
        "~nope",
        "=1",
        "seed",
        "seed==1",
        "a@b=c",
        "+seed=1",
        "++new.key=1",
        "+nope=1",
        "seed=\udce4",
        "seed=1\n2",
    ),
    *(
        "💥=1",
        "seed=💥",
        "seed=1;2",
        "seed=-",
        "seed=",
        "seed= ",
        "sëed=1",
        "SEED=1",
        "seed.x=1",
        "seed/x=1",
        "seed[0]=1",
    ),
)
FLAGS = (
    *("-m --cfg job", "--cfg", "--cfg foo", "--resolve", "--package foo --cfg job", "-p seed", "--info foo", "--bogus"),
    *("-x", "--run --multirun", "--info --cfg job", "--config-dir", "--config-dir /nowhere", "--config-name foo"),
    *("--config-path foo", "--experimental-rerun foo", "-sc", "-sc install=foo", "--multirunn", "-cd", "-c job -m"),
)
CONTRADICTIONS = (
    "data.split=kfold data.fold=9",
    "data.split=files",
    "data.split_files=nowhere",
    "data=scenes data.images=x",
    "data=folder",
    "data=folder data.images=x data.labels=y data.classes=/nowhere",
    "label_type=own",
    "model.widths=[4,6]",
    "model.encoder_blocks=[0,1,1,1,1,1]",
    "comparison.contrasts=[[relu,relu]]",
    "comparison.questions=[a]",
    "comparison.chosen_on_validation=study",
    "tracking=server tracking.uri=''",
    "data.image_size=[64,64,64]",
    "data.image_size=33",
    "seed=0,1",
    "activation.layer={}",
    "activation.layer._target_=os.system",
    "sweep.label=../x",
    "sync=true tracking=off",
    "hydra/launcher=foo",
    "hydra.mode=FOO",
    "hydra/sweeper=foo",
)


@dataclass(frozen=True)
class Line:
    """A command line.

    Args:
        command: its command.
        arguments: what is wrong with it, and what else it needs.
        certain: it cannot be right, so exit code 0 would be wrong.
    """

    command: str
    arguments: tuple[str, ...]
    certain: bool = True


@dataclass(frozen=True)
class Answer:
    """What a command answers.

    Args:
        code: its exit code.
        output, error: what it printed.
        seconds: how long it took.
    """

    code: int
    output: str
    error: str
    seconds: float


def lines() -> list[Line]:
    """The same lines each time."""
    generator = random.Random(SEED)
    different = [command for command in COMMANDS if command != "sync"]  # which is train with another name
    return [line for command in different for line in _lines(command, generator)]


def answer(line: Line) -> Answer:
    """Runs a command in this process."""
    before, argv, environment = Singleton.get_state(), sys.argv, dict(os.environ)
    GlobalHydra.instance().clear()
    sys.argv = [SCRIPTS.get(line.command, "activation-study"), *line.arguments]
    started, output, error = time.perf_counter(), io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(output), redirect_stderr(error):
            code = main(line.command)
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    except Exception:
        code = 1
        error.write(traceback.format_exc())
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
        Singleton.set_state(before)
    return Answer(code, output.getvalue(), error.getvalue(), time.perf_counter() - started)


def _lines(command: str, generator: random.Random) -> Iterator[Line]:
    keys = {key: field for key, field in declared(COMMANDS[command].schema).items() if not key.startswith("sweep")}
    leaves = [key for key in keys if not any(other.startswith(f"{key}.") for other in keys)]
    others = {key for each in COMMANDS.values() for key in declared(each.schema) if not key.startswith("sweep")}
    harmless = HARMLESS.get(command, [])

    def some(candidates: list[str]) -> list[str]:
        number = PER_KIND - (COMMANDS[command].schema is Config)
        return generator.sample(candidates, min(number, len(candidates)))

    misspelled = [_misspelled(key, generator) for key in some(leaves)]
    for key in misspelled:
        yield Line(command, (*harmless, f"{key}=1"), key not in keys)
    for key in some(sorted(others - set(keys))):
        yield Line(command, (*harmless, f"{key}=1"))
    numbers = [key for key in leaves if not holds_text(keys[key]) and _is_strict(keys[key].type)]
    for key in some(numbers):
        yield Line(command, (*harmless, f"{key}=x"))
    for key in some([key for key in leaves if "at_least" in keys[key].metadata]):
        yield Line(command, (*harmless, f"{key}={keys[key].metadata['at_least'] - 1}"), command in ("train", "inspect"))
    for key in some([key for key in leaves if "choices" in keys[key].metadata]):
        yield Line(command, (*harmless, f"{key}=nonsense"))
    if command in ("train", "inspect"):
        groups = [path.name for path in conf_dir().iterdir() if path.is_dir() and path.name != "hydra"]
        for group in some(sorted(groups)):
            yield Line(command, (*harmless, f"{group}=nonsense"))
        for pair in CONTRADICTIONS if command == "train" else ():
            yield Line(command, (*harmless, *pair.split()), certain=False)
    for key in some(leaves):
        yield Line(command, (*harmless, key))
    for odd in ODD if command == "train" else some(list(ODD)):
        yield Line(command, (*harmless, odd), certain=False)
    for flags in FLAGS if command == "train" else some(list(FLAGS)):
        yield Line(command, (*harmless, *flags.split()), certain=False)
    if any(field.default is not MISSING and "required" in field.metadata for field in keys.values()):
        yield Line(command, ())
    yield Line(command, (*harmless, *(f"{key}=1" for key in misspelled)))


def _is_strict(kind: object) -> bool:
    """Whether a type accepts no text at all."""
    return kind in (int, float, bool, int | None, float | None) or "list[int]" in str(kind)


def _misspelled(key: str, generator: random.Random) -> str:
    """A key with a letter missing, doubled, or exchanged with the next one."""
    place = generator.randrange(len(key) - 1)
    changed = [
        key[:place] + key[place + 1 :],
        key[:place] + key[place] + key[place:],
        key[:place] + key[place + 1] + key[place] + key[place + 2 :],
    ]
    return generator.choice(changed)


def answer_times(wrong: Sequence[Line]) -> str:
    """How long wrong command lines take to be answered, once Python and Hydra are loaded."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        seconds = [answer(line).seconds for line in wrong]
    return (
        f"{len(seconds)} command lines that cannot work are answered in {1000 * median(seconds):.0f} ms (median), "
        f"{1000 * max(seconds):.0f} ms at most, after the start of Python."
    )


if __name__ == "__main__":
    print(answer_times(lines()))
