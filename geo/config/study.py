"""A study's settings: ``study.toml`` read into frozen values, all defects reported at once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import Field, ValidationError, model_validator

from geo.config.addresses import without_password
from geo.config.sections import (
    AreaSection,
    CommunitiesSection,
    DemandSection,
    LedgerSection,
    MergeSection,
    PublishSection,
    RoadsSection,
    Section,
    SitingSection,
    StandardSection,
    StationsSection,
    StudySection,
    VenuesSection,
)
from geo.errors import Defect, InputError


class Study(Section):
    """A whole ``study.toml``; ``folder`` is where its relative paths start.

    >>> Study.model_validate({"study": {"name": "x"}, "roads": {"file": "r.osm"},
    ...     "stations": [{"file": "s.csv", "datum": "wgs84"}]}).standard.limit_minutes
    15.0
    """

    study: StudySection
    roads: RoadsSection
    stations: tuple[StationsSection, ...] = Field(min_length=1, strict=False)
    area: AreaSection = AreaSection()
    merge: MergeSection = MergeSection()
    communities: CommunitiesSection | None = None
    demand: dict[str, DemandSection] = Field(default_factory=dict)
    venues: VenuesSection | None = None
    ledger: LedgerSection | None = None
    standard: StandardSection = StandardSection()
    siting: SitingSection = SitingSection()
    publish: PublishSection = PublishSection()
    folder: Path = Path()

    @model_validator(mode="after")
    def _one_layer_of_problems(self) -> Study:
        if self.ledger is not None and "problems" in self.demand:
            raise ValueError(
                "[ledger] 已是需求层 problems / [ledger] makes the layer problems: rename [demand.problems]"
            )
        return self

    def path(self, name: str) -> Path:
        """The path of an input file named in the study."""
        return self.folder / name


def load_study(path: str | Path) -> Study:
    """Read ``study.toml`` (or the folder that holds it) into a :class:`Study`.

    Raises :class:`geo.errors.InputError` with every unknown key and wrong value, or with line and
    column where the TOML itself is broken.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "study.toml"
    if not file.is_file():
        raise InputError(Defect("没有这个文件；应为 study.toml 或其所在文件夹 / no such file; "
                                "give a study.toml or its folder", file=str(file)))  # fmt: skip
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(Defect("不是 UTF-8 编码 / not UTF-8; save it as UTF-8", file=str(file))) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(Defect(f"TOML 语法错误 / TOML syntax: {error}", file=str(file))) from error
    return study_from_mapping(data, folder=file.parent.resolve(), file=file.name)


def study_from_mapping(data: dict[str, Any], *, folder: Path, file: str = "study.toml") -> Study:
    """Validate the parsed content of a ``study.toml``; raises as :func:`load_study`."""
    try:
        return Study.model_validate({**data, "folder": folder})
    except ValidationError as error:
        errors = error.errors()
        inner = {e["loc"][:n] for e in errors for n in range(len(e["loc"]))}
        # a list whose items are all wrong also counts as "too short": that would only mislead
        kept = [e for e in errors if not (e["type"] == "too_short" and e["loc"] in inner)]
        raise InputError(_defect(e, file) for e in kept) from error


def with_siting(study: Study, changes: dict[str, Any]) -> Study:
    """``study`` with keys of ``[siting]`` in the place of its own; raises as :func:`load_study`.

    >>> study = study_from_mapping({"study": {"name": "x"}, "roads": {"file": "r.osm"},
    ...     "stations": [{"file": "s.csv", "datum": "wgs84"}]}, folder=Path())
    >>> with_siting(study, {"add": 3}).siting.add
    3
    """
    try:
        section = SitingSection.model_validate({**study.siting.model_dump(), **changes})
    except ValidationError as error:
        raise InputError(
            _defect({**e, "loc": ("siting", *e["loc"])}, "redmap site") for e in error.errors()
        ) from error
    return study.model_copy(update={"siting": section})


def _defect(error: Any, file: str) -> Defect:
    key = ".".join(str(part) for part in error["loc"]) or None
    found = error.get("input")
    match error["type"]:
        case "extra_forbidden":
            allowed = " ".join(_allowed(error["loc"]))
            message = f"未知的键；可用的键：{allowed} / unknown key; allowed: {allowed}"
        case "missing":
            message = "缺少此项 / this key is required"
        case "value_error":
            # a rule between several keys was given all of them: what was found is in its words
            shown = "" if isinstance(found, dict) else f" (found: {found!r})"
            message = f"{error['ctx']['error']}{shown}"
        case _:
            message = f"值不对：{found!r} / {error['msg']}; found {found!r}"
    return Defect(without_password(message), file=file, key=key)


def _allowed(location: tuple[Any, ...]) -> list[str]:
    model: Any = Study
    for part in location[:-1]:
        if not isinstance(part, str) or part not in getattr(model, "model_fields", {}):
            continue
        annotation = model.model_fields[part].annotation
        model = next((a for a in (annotation, *get_args(annotation)) if hasattr(a, "model_fields")), model)
        if part == "demand":
            model = DemandSection
    return [name for name in model.model_fields if name != "folder"]
