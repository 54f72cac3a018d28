# SPDX-License-Identifier: Apache-2.0
"""The keys of a study file that are the same for every study, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    model_validator,
)

from archloom.strategies import DEFAULT_STRATEGY

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]

Label = str | int | float | bool | None

Directions = dict[Text, Literal["maximize", "minimize"]]


def _named(objectives: Directions) -> Directions:
    if not objectives:
        raise ValueError("should name at least one metric, such as {accuracy: maximize}")
    return objectives


class Budget(BaseModel):
    """When a study ends: after so many trials, so many minutes, or whichever comes first."""

    model_config = ConfigDict(extra="forbid", strict=True)

    trials: PositiveInt | None = Field(None, description="how many trials")
    minutes: Annotated[float, Field(gt=0)] | None = Field(None, description="wall-clock limit")
    count: Literal["evaluations", "proposals"] = Field(
        "evaluations", description="whether a repeat served from the store counts as a trial (proposals)"
    )

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.trials is None and self.minutes is None:
            raise ValueError("should give trials, minutes or both")
        return self


class ExecutorSection(BaseModel):
    """Where trials are evaluated: in the process that proposes, or in several of their own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    processes: PositiveInt | None = Field(
        None, description="evaluate in so many processes; one a device where devices are given"
    )
    devices: list[Text] = Field([], description="what the processes compute on in turn, such as cuda:0")
    lease: Annotated[float, Field(gt=0)] = Field(
        60.0, description="seconds without a sign of life after which a worker's trials are retried"
    )
    retries: Annotated[int, Field(ge=0)] = Field(
        2, description="how often a trial is retried whose worker was gone, before it is failed"
    )


class Sections(BaseModel):
    """A study file. ``space``, ``strategy``, ``evaluator`` and ``pruner`` are named things."""

    model_config = ConfigDict(extra="forbid", strict=True, title="archloom study file")

    study: Text = Field(description="the study's name, unique in its store")
    space: Any = Field(description="the search space")
    strategy: Any = Field(DEFAULT_STRATEGY, description="who to try next")
    evaluator: Any = Field(description="how good an architecture is; a list runs one after another")
    objectives: Annotated[Directions, AfterValidator(_named)] = Field(
        description="metric to direction", json_schema_extra={"minProperties": 1}
    )
    constraints: list[Text] = Field([], description="such as 'params <= 200000'")
    budget: Budget
    batch_size: PositiveInt = Field(1, description="how many proposals the strategy is asked for at once")
    duplicates: Literal["reuse", "skip", "reseed", "average"] = Field(
        "reuse", description="what happens to an architecture that was evaluated before"
    )
    pruner: Any = Field(None, description="which running trials to stop early")
    callbacks: list[Text] = Field(
        [], description="import paths of functions called as callback(study, record) around each trial"
    )
    enqueue: list[dict[Text, Label]] = Field(
        [], description="architectures tried first, each as decision to candidate label"
    )
    store: Text | None = Field(
        None, description="database URL or file; $ARCHLOOM_STORE, else sqlite:///archloom.db"
    )
    artifacts: Text | None = Field(None, description="folder for weights; beside the store")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="the root of all randomness")
    device: Text = Field("cpu", description="where evaluators compute, in torch's words")
    executor: ExecutorSection = Field(
        default_factory=lambda: ExecutorSection.model_validate({}), description="where trials are evaluated"
    )
