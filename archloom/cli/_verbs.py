# SPDX-License-Identifier: Apache-2.0
"""The verbs by name: each one's module is imported when it is called, its help line stands here.

A help page with every verb then costs little more than typer itself; a test holds each line to the
docstring of its verb.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

import typer
from typer.core import TyperGroup

OPTIONS: dict[str, Any] = {"pretty_exceptions_enable": False, "rich_markup_mode": "rich"}


@final
class Verb(NamedTuple):
    """A verb before it is imported.

    Args:
        name: what is typed; the module below ``archloom.cli`` has the same name, and so has the function.
        panel: the heading it stands under.
        help: its line in the help page, the first sentence of its docstring.
    """

    name: str
    panel: str
    help: str


SEARCH, LOOK, SPACES, HERE = "Search", "Look", "Spaces and parts", "Environment"
INSIDE = "Commands"

VERBS = (
    Verb("new", SEARCH, "Write a commented study file that runs."),
    Verb("run", SEARCH, "Run a study file and show its winner."),
    Verb(
        "export",
        SEARCH,
        "Write a trial's trained network as one plain PyTorch file, its weights, and a model card.",
    ),
    Verb("status", LOOK, "Show the studies of a store, or how one of them is doing."),
    Verb("trials", LOOK, "Show the trials of a study, a line each."),
    Verb("best", LOOK, "Show the best trials of a study; with several objectives, its Pareto front."),
    Verb("pareto", LOOK, "Show the Pareto front of a study, with a plot where there are two objectives."),
    Verb("show", LOOK, "Show everything about one trial: scores, decisions, curves, and why it failed."),
    Verb("compare", LOOK, "Compare studies: a column each."),
    Verb("space", SPACES, "Look into a search space: show, count, sample or check it."),
    Verb("spaces", SPACES, "Show the search spaces there are, or the options of one."),
    Verb("blueprints", SPACES, "Show the blueprints there are, or the fields of one."),
    Verb("strategies", SPACES, "Show the strategies there are, or the options of one."),
    Verb("evaluators", SPACES, "Show the evaluators there are, or the options of one."),
    Verb("schema", HERE, "Print the JSON Schema of a study file, for editors that complete and check YAML."),
    Verb("doctor", HERE, "Say what is installed, which device is seen, and what is missing for what."),
)

SPACE_VERBS = (
    Verb("show", INSIDE, "Show the decisions of a space as a tree."),
    Verb("count", INSIDE, "Count the architectures of a space, exactly."),
    Verb("sample", INSIDE, "Draw architectures of a space."),
    Verb("check", INSIDE, "Build sampled architectures without weights and report those that do not fit."),
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
            """Return the names in the order of the help page."""
            del ctx
            return list(by_name)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            """Import a verb; ``None`` where there is none of that name."""
            del ctx
            if cmd_name in by_name and cmd_name not in self.commands:
                self.commands[cmd_name] = _load(by_name[cmd_name], package)
            return self.commands.get(cmd_name)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Read the words after the group's name; none at all asks for the help page."""
            if not args and not ctx.resilient_parsing:
                typer.echo(ctx.get_help())
                raise typer.Exit(2)
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Find the verb that is meant; a misspelt one is answered with the nearest."""
            if args and args[0] not in by_name and not args[0].startswith("-"):
                from archloom.errors import did_you_mean

                near = did_you_mean(args[0], by_name)
                ctx.fail(f"No such command {args[0]!r}{near}")
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


def _load(verb: Verb, package: str) -> Any:
    """Import a verb and make it a command."""
    module = importlib.import_module(f"{package}.{verb.name}")
    if isinstance(found := getattr(module, "app", None), typer.Typer):
        return typer.main.get_command(found)
    function: Callable[..., None] = getattr(module, verb.name)
    single = typer.Typer(add_completion=False, **OPTIONS)
    single.command(verb.name, help=flowing(function.__doc__ or ""))(function)
    return typer.main.get_command(single)
