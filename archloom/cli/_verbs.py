# SPDX-License-Identifier: Apache-2.0
"""The verbs by name: each one's module is imported when it is called, its help line stands here.

A help page with every verb then costs little more than typer itself; a test holds each line to the
docstring of its verb.
"""

from __future__ import annotations

import importlib
import keyword
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

import typer
from typer.core import TyperCommand, TyperGroup

OPTIONS: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": "rich"}


@final
class Verb(NamedTuple):
    """A verb before it is imported.

    Args:
        name: what is typed, one word or, for what a verb does beside its main purpose, two
            (``trials tag``). Module and function are called like it, a keyword with a line under it.
        panel: the heading it stands under.
        help: its line in the help page, the first sentence of its docstring.
    """

    name: str
    panel: str
    help: str

    @property
    def python_name(self) -> str:
        """The name of its function, and of the module that holds it."""
        last = self.name.split()[-1]
        return f"{last}_" if keyword.iskeyword(last) else last

    @property
    def module(self) -> str:
        """Where its module lies below the package of its group."""
        return ".".join([*self.name.split()[:-1], self.python_name])


SEARCH, LOOK, CORRECT, SPACES, HERE = "Search", "Look", "Correct", "Spaces and parts", "Environment"
INSIDE = "Commands"

VERBS = (
    Verb("new", SEARCH, "Write a commented study file that runs."),
    Verb("run", SEARCH, "Run a study file and show its winner."),
    Verb("resume", SEARCH, "Go on with a study where it stopped."),
    Verb(
        "worker",
        SEARCH,
        "Evaluate trials of a study that runs elsewhere, on any machine that reaches its store.",
    ),
    Verb(
        "derive",
        SEARCH,
        "Take a trial's network out of the supernet that scored it, with the weights that it inherits.",
    ),
    Verb(
        "retrain",
        SEARCH,
        "Train architectures of a study by themselves, and measure them on the test data.",
    ),
    Verb(
        "export",
        SEARCH,
        "Write a trial's trained network as one plain PyTorch file, its weights, and a model card.",
    ),
    Verb(
        "import",
        SEARCH,
        "Take in trials that were measured elsewhere: a CSV file, or a study of an Optuna storage.",
    ),
    Verb("bench", SEARCH, "Compare strategies on problems whose answers are known, over many seeds."),
    Verb("status", LOOK, "Show the studies of a store, or how one of them is doing."),
    Verb("trials", LOOK, "Show the trials of a study, a line each."),
    Verb("best", LOOK, "Show the best trials of a study; with several objectives, its Pareto front."),
    Verb("pareto", LOOK, "Show the Pareto front of a study, with a plot where there are two objectives."),
    Verb("show", LOOK, "Show everything about one trial: scores, decisions, curves, and why it failed."),
    Verb("compare", LOOK, "Compare studies: a column each."),
    Verb(
        "importance",
        LOOK,
        "Show how much each decision matters: the share of a metric's variance that its choice explains.",
    ),
    Verb("sql", LOOK, "Ask the database a question in SQL; it can only read."),
    Verb("trials tag", CORRECT, "Put a tag on trials, or take it from them."),
    Verb("trials invalidate", CORRECT, "Have results that are wrong count no more."),
    Verb("trials restore", CORRECT, "Have results that were invalidated count again."),
    Verb("trials reevaluate", CORRECT, "Have results that are wrong count no more, and measure them anew."),
    Verb("clean", CORRECT, "Remove what nothing needs any more: files of no trial and, if asked, more."),
    Verb("space", SPACES, "Look into a search space: show, count, sample or check it."),
    Verb("spaces", SPACES, "Show the search spaces there are, or the options of one."),
    Verb("blueprints", SPACES, "Show the blueprints there are, or the fields of one."),
    Verb("strategies", SPACES, "Show the strategies there are, or the options of one."),
    Verb("evaluators", SPACES, "Show the evaluators there are, or the options of one."),
    Verb("storage", HERE, "Look after a database: what it is, whether it is sound, and bring it up to date."),
    Verb("schema", HERE, "Print the JSON Schema of a study file, for editors that complete and check YAML."),
    Verb("doctor", HERE, "Say what is installed, which device is seen, and what is missing for what."),
)

SPACE_VERBS = (
    Verb("show", INSIDE, "Show the decisions of a space as a tree."),
    Verb("count", INSIDE, "Count the architectures of a space, exactly."),
    Verb("sample", INSIDE, "Draw architectures of a space."),
    Verb("check", INSIDE, "Build sampled architectures without weights and report those that do not fit."),
)


STORAGE_VERBS = (
    Verb(
        "info",
        INSIDE,
        "Say what a database is: its engine, schema, size, studies, and whether it can be written.",
    ),
    Verb(
        "check",
        INSIDE,
        "Check that a database is sound: the file, the tables, and what must hold between them.",
    ),
    Verb("upgrade", INSIDE, "Bring a database that an older archloom made to this one's schema."),
)


def group_class(verbs: Sequence[Verb], package: str) -> type[TyperGroup]:
    """Return the class of a command group whose verbs are imported when they are called.

    Args:
        verbs: in the order of the help page.
        package: where their modules lie.
    """
    by_name = {verb.name: verb for verb in verbs}
    panels: dict[str, list[tuple[str, str]]] = {}
    for verb in verbs:
        panels.setdefault(verb.panel, []).append((verb.name, verb.help))

    class VerbGroup(TyperGroup):
        """A group of verbs."""

        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names of one word in the order of the help page."""
            del ctx
            return [name for name in by_name if " " not in name]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """Import a verb; ``None`` where there is none of that name."""
            del ctx
            if cmd_name in by_name and cmd_name not in self.commands:
                inner = _inner(verbs, cmd_name)
                self.commands[cmd_name] = _load(by_name[cmd_name], package, inner)
            return self.commands.get(cmd_name)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Read the words after the group's name; none at all asks for the help page."""
            if not args and not ctx.resilient_parsing:
                typer.echo(ctx.get_help())
                raise typer.Exit(2)
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Find the verb that is meant; a misspelt one is answered with the nearest."""
            from archloom.errors import did_you_mean

            if args and args[0] not in by_name and not args[0].startswith("-"):
                near = did_you_mean(args[0], self.list_commands(ctx))
                ctx.fail(f"No such command {args[0]!r}{near}")
            inner = [name.split()[1] for name, _ in _inner(verbs, args[0])]
            if inner and len(args) > 1 and args[1] in inner:
                args = [" ".join(args[:2]), *args[2:]]
            elif inner and len(args) > 2 and not any(word.startswith("-") for word in args[1:3]):
                near = did_you_mean(args[1], inner)  # by itself, the verb takes one word only
                ctx.fail(f"No such command '{args[0]} {args[1]}'{near}")
            return super().resolve_command(ctx, args)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Write the page without importing a verb."""
            from archloom.cli._help import page

            formatter.write(page(self, ctx, panels))

    return VerbGroup


def flowing(doc: str) -> str:
    r"""Return a docstring with each paragraph in one line, for a page that wraps them itself.

    >>> flowing("One.\n\n    Two\n    three.")
    'One.\n\nTwo three.'
    """
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in doc.split("\n\n"))


def _inner(verbs: Sequence[Verb], name: str) -> list[tuple[str, str]]:
    """Return the name and the help of what a verb does beside its main purpose."""
    return [(verb.name, verb.help) for verb in verbs if verb.name.startswith(f"{name} ")]


def _load(verb: Verb, package: str, inner: Sequence[tuple[str, str]]) -> Any:
    """Import a verb and make it a command."""
    module = importlib.import_module(f"{package}.{verb.module}")
    if isinstance(found := getattr(module, "app", None), typer.Typer):
        return typer.main.get_command(found)
    function: Callable[..., None] = getattr(module, verb.python_name)
    single = typer.Typer(add_completion=False, **OPTIONS)
    kind = _with_inner(inner) if inner else None
    single.command(verb.name, cls=kind, help=flowing(function.__doc__ or ""))(function)
    return typer.main.get_command(single)


def _with_inner(inner: Sequence[tuple[str, str]]) -> type[TyperCommand]:
    """Return the class of a command whose help page names its further purposes too."""

    class WithInner(TyperCommand):
        """A verb that does more when its name is followed by another word."""

        def format_help(self, ctx: Any, formatter: Any) -> None:
            """Write its page, and a box of what else there is."""
            from archloom.cli._help import panel, width

            super().format_help(ctx, formatter)
            rows = [(name.split()[1], told) for name, told in inner]
            formatter.write("\n".join(panel("Commands", rows, width())) + "\n")

    return WithInner
