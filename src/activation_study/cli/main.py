"""The entry point of all commands: `activation-study COMMAND …`, and the scripts of a clone."""

import difflib
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout

from activation_study.cli.help import command_help, overview
from activation_study.cli.refusal import refuse
from activation_study.config.command_line.arguments import unusable
from activation_study.console import ignore_broken_pipes
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput
from activation_study.location import SCRIPTS, conf_dir, other_copy
from activation_study.signals import EXIT_CODE_ABORTED, Interrupted
from activation_study.user import provide_user

COMMANDS = (*SCRIPTS, "sync", "watch")  # the last two have no script; sync is `train.py sync=true`

_PRINTS = re.compile("--(cfg|info)(=|$)")


def main(name: str | None = None) -> int:
    """Runs a command with the arguments of this process; returns the exit code.

    Args:
        name: the command of a clone's script; None: the first argument names it, as in `activation-study train …`.
    """
    try:
        return _in_text_or_json(name)
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again to continue.", file=sys.stderr)
        return EXIT_CODE_ABORTED


def _in_text_or_json(name: str | None) -> int:
    ignore_broken_pipes()
    if "--json" in sys.argv:
        from activation_study.cli.json_output import one_object

        sys.argv[:] = [argument for argument in sys.argv if argument != "--json"]
        command = name or next((argument for argument in sys.argv[1:2] if argument in COMMANDS), None)
        sys.argv += ["once=true"] if command == "watch" else []
        return one_object(command, sys.argv[1:], lambda: _main(name))
    return _main(name)


def _main(name: str | None) -> int:
    if name is not None and (message := other_copy()):
        return refuse(message)
    if name is None:
        if sys.argv[1:2] in (["-sc"], ["--shell-completion"], ["--shell_completion"]):
            name = _completed_command()
            if name is None:
                print(" ".join(COMMANDS))
                return 0
        elif sys.argv[1:2] in ([], ["-h"], ["--help"], ["--version"]):
            print(overview(COMMANDS, version="--version" in sys.argv))
            return 0
        elif sys.argv[1] in COMMANDS:
            name = sys.argv.pop(1)
        else:
            close = difflib.get_close_matches(sys.argv[1], COMMANDS, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            return refuse(f"{sys.argv[1]}: expected one of {', '.join(COMMANDS)}{hint}")
    arguments = sys.argv[1:]
    if "--help" in arguments or "-h" in arguments:
        print(command_help(name, arguments))
        return 0
    if "--version" in arguments:
        print(overview(COMMANDS, version=True))
        return 0
    arguments = ["once=true" if name == "watch" and argument == "--once" else argument for argument in arguments]
    if name == "sync":
        given = [argument for argument in arguments if argument.startswith("sync=")]
        if refused := next((each for each in given if each not in ("sync=true", "sync=all")), None):
            return refuse(f"{refused}: expected sync=all, which also brings back runs that were deleted in MLflow")
        if not any(argument.startswith(("study=", "experiment=")) for argument in arguments):
            return refuse("study=NAME is needed: the study whose runs are copied into tracking.uri")
        arguments += [] if given else ["sync=true"]
    reason = unusable(arguments)
    if reason is not None:
        return refuse(reason)
    return _run(name, arguments)


def _run(name: str, arguments: list[str]) -> int:
    """Composes the command's configuration and carries it out; input errors end in one message."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises its errors instead of printing them
    provide_user()
    import hydra

    from activation_study.cli import commands
    from activation_study.cli.flags import checked_arguments
    from activation_study.config.command_line.hydra_errors import explanation
    from activation_study.config.command_line.overrides import as_typed

    command = commands.COMMANDS[name]
    commands.register_schema(command)
    try:
        sys.argv[1:] = arguments = as_typed(checked_arguments(arguments, name, command.schema), command.schema)
        run = hydra.main(config_path=str(conf_dir()), config_name=command.config, version_base="1.3")(command.task)
        with _without_credentials() if any(map(_PRINTS.match, arguments)) else nullcontext():
            run()
    except BadInput as error:
        return refuse(str(error))
    except Interrupted as error:
        return error.exit_code
    except Exception as error:
        message = explanation(error, name, command.config, arguments)
        if message is None:
            raise
        return refuse(message)
    return 0


@contextmanager
def _without_credentials() -> Iterator[None]:
    """Takes passwords in addresses out of what Hydra prints of a configuration."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            yield
    finally:
        print(without_credentials(printed.getvalue()), end="")


def _completed_command() -> str | None:
    """The command whose arguments the shell completes; None while it completes the command itself.

    Hydra's completion calls `activation-study -sc query=bash` without the command, which is in COMP_LINE alone. It is
    taken out of there, so that Hydra sees a line of that command.
    """
    line = os.environ.get("COMP_LINE")
    if line is None:  # -sc install=bash
        return "train"
    words = line.split()
    name = words[1] if len(words) > 1 else ""
    if name not in COMMANDS or line.endswith(name):
        return None
    os.environ["COMP_LINE"] = line.replace(f" {name}", "", 1)
    return name
