"""`flask export`: run, check and show definitions (SPEC section 11). The command line acts as the operator: all rights.

Exit status: 0 done, 2 the definition is refused, 1 anything else.
"""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click
from flask.cli import AppGroup, with_appcontext

from exports import definition as definitions
from exports.definition import Definition
from exports.errors import DefinitionRefused, ExportsError, Problem
from webapp.cli.brand_option import brand_option, chosen_brand
from webapp.cli.saved import COMMANDS
from webapp.cli.usage import REFUSED, Command, refuse

if TYPE_CHECKING:
    from exports.pipeline import Progress, Result
    from exports.sinks import Sink
    from webapp.models import Brand


class _Moment(click.ParamType[datetime]):
    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is no moment such as 2026-11-23T10:00:00Z", param, ctx)
        if moment.utcoffset() is None:
            self.fail(f"{value} lacks its zone: write 2026-11-23T10:00:00Z", param, ctx)
        return moment


export = AppGroup("export", help="Run, check and show exports.")
for saved in COMMANDS:
    export.add_command(saved)


@export.command("run", cls=Command)
@click.argument("file", metavar="DEFINITION.json", type=click.File("rb"))
@brand_option
@click.option("--out", metavar="FILE|-", help="Where to write; - is standard output. Default: the name, here.")
@click.option("--zip", "archive", is_flag=True, help="Write the zip that a download would be.")
@click.option("--report", type=click.Choice(["text", "json"]), default="text", help="The form of the last line.")
@click.option("--moment", type=_Moment(), help="The base moment of the run. Default: now.")
@with_appcontext
def run(
    file: BinaryIO, brand: str | None, out: str | None, archive: bool, report: str, moment: datetime | None
) -> None:
    """Run a definition in the foreground, through the same pipeline as every run."""
    definition = _read(file)
    ending = _Ending()
    try:
        result = _run(definition, chosen_brand(brand), out, archive, moment or datetime.now(UTC), ending)
    except DefinitionRefused as refused:
        refuse(refused.problems)
    except ExportsError as error:
        click.echo(error.told_now, err=True)
        sys.exit(1)
    click.echo(_told(result, report), err=True)


def _run(
    definition: Definition, brand: Brand, out: str | None, archive: bool, moment: datetime, ending: _Ending
) -> Result:
    from exports import pipeline
    from webapp.models import brand_scope
    from webapp.services import brands

    with brand_scope(brand.id):
        catalogue, source = brands.catalogue_of(brand), brands.source()
        surroundings = brands.surroundings(brand, moment, about=definition)
        _record("command.run", brand, definition)
    bar = _bar(definition, catalogue, surroundings, source) if sys.stderr.isatty() else None

    def watch(progress: Progress) -> None:
        ending.look()
        if bar is not None:
            bar(progress)

    result = pipeline.run(definition, catalogue, surroundings, source, _sink(definition, out, archive), watch, archive)
    if bar is not None:
        click.echo("\r\033[K", nl=False, err=True)
    return result


def _record(kind: str, brand: Brand, definition: Definition, fields: list[str] | None = None) -> None:
    """Say in the audit log of the brand, which is the present one, whose fields the operator reads."""
    from webapp.extensions import db
    from webapp.services import audit, contents

    audit.record(kind, audit.OPERATOR, name=definition.name, **contents.of(brand, definition, fields))
    db.session.commit()


def _sink(definition: Definition, out: str | None, archive: bool) -> Sink:
    from exports.archive import file_name
    from exports.sinks import FileSink, StreamSink

    if out == "-":
        return StreamSink(sys.stdout.buffer)
    name = file_name(definition.name, definition.file.extension) + (".zip" if archive else "")
    return FileSink(Path(out or name))


def _bar(definition: Definition, catalogue: Any, surroundings: Any, source: Any) -> Any:
    """What is shown on a terminal while the rows come."""
    from exports import checking

    expected = max(source.estimate(checking.query_of(definition, catalogue, surroundings, source)), 1)

    def show(progress: Progress) -> None:
        share = min(progress.rows / expected, 0.99)
        bar = "#" * round(share * 30)
        told = f"{progress.rows:,} rows, {progress.bytes / 1e6:,.1f} MB, {progress.seconds:.0f} s"
        click.echo(f"\r\033[K[{bar:<30}] {share:>4.0%} {told}", nl=False, err=True)

    return show


def _told(result: Result, report: str) -> str:
    if report == "text":
        return f"{result.rows} rows, {result.bytes} bytes, {result.seconds:.2f} s"
    told: dict[str, Any] = {
        "rows": result.rows,
        "bytes": result.bytes,
        "seconds": round(result.seconds, 3),
        "sha256": result.sha256,
    }
    return json.dumps(told | ({} if result.archive_bytes is None else {"archive_bytes": result.archive_bytes}))


class _Ending:
    """Ctrl-C and SIGTERM: the query is stopped and the half file removed, exit status 1.

    Python drops what a handler raises while an object is being finalized: so the wish is kept, and looked at again.
    """

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _signal: int, _frame: Any) -> NoReturn:
        self.asked = True
        sys.exit(1)

    def look(self) -> None:
        """End now if it was asked for."""
        if self.asked:
            sys.exit(1)


@export.command("check", cls=Command)
@click.argument("file", metavar="DEFINITION.json", type=click.File("rb"))
@brand_option
@with_appcontext
def check(file: BinaryIO, brand: str | None) -> None:
    """Print every problem of a definition as a JSON line on standard output; nothing when all is well."""
    from exports import checking, schedule
    from webapp.models import brand_scope
    from webapp.services import brands, connections, guarding
    from webapp.services.mail import notify
    from webapp.services.progress import present

    try:
        definition = definitions.parse(file.read())
    except DefinitionRefused as refused:
        _print(refused.problems)
        sys.exit(REFUSED)
    chosen = chosen_brand(brand)
    catalogue = brands.catalogue_of(chosen)
    try:
        surroundings = brands.surroundings(chosen, datetime.now(UTC), about=definition)
        source, guard = brands.source(), guarding.guard()
        problems = checking.problems(definition, catalogue, surroundings, source, brands.zones(), guard)
    except ExportsError as error:
        raise click.ClickException(error.told_now) from error
    problems += schedule.problems_when_saved(definition.schedule, present(), chosen.minimum_minutes)
    with brand_scope(chosen.id):
        problems += notify.problems(chosen, definition)
    problems += connections.plain.problems(chosen, definition.target.type, at="target.type")
    errors = [one for one in problems if not one.warning]
    _print(errors)
    sys.exit(REFUSED if errors else 0)


@export.command("why", cls=Command)
@click.argument("file", metavar="DEFINITION.json", type=click.File("rb"))
@click.argument("id")
@brand_option
@click.option("--moment", type=_Moment(), help="The base moment of the run that is meant. Default: now.")
@with_appcontext
def why(file: BinaryIO, id: str, brand: str | None, moment: datetime | None) -> None:
    """Say of one record, by its id, whether it is in the file, and why."""
    from exports import checking, words
    from exports import why as reasons
    from webapp.models import brand_scope
    from webapp.services import brands
    from webapp.services.drafts import inputs

    definition, chosen = _read(file), chosen_brand(brand)
    catalogue, source = brands.catalogue_of(chosen), brands.source()
    try:
        around = brands.surroundings(chosen, moment or datetime.now(UTC), about=definition)
        checking.query_of(definition, catalogue, around, source)  # refuses what breaks a rule
        verdict = reasons.why(definition, catalogue, around, source, id, personal=True)
    except DefinitionRefused as refused:
        refuse(refused.problems)
    except ExportsError as error:
        raise click.ClickException(error.told_now) from error
    model = catalogue.models[definition.model]
    asked_of = {one.attribute for set_ in definition.filters for one in set_}
    with brand_scope(chosen.id):
        _record("command.why", chosen, definition, sorted(asked_of))
    if verdict is None:
        raise click.ClickException(reasons.nobody(model, chosen.name))
    letters = [inputs.letters(place) for place in range(len(definition.filters))]
    click.echo(" ".join(reasons.sentence(verdict, letters)))
    for place, (phrases, set_) in enumerate(zip(words.filters(definition, model), verdict.sets, strict=True)):
        for position, (phrase, one) in enumerate(zip(phrases, set_, strict=True)):
            holds = "holds" if one.holds else "does not hold"
            click.echo(f"{inputs.label(place, position)}  {phrase.attribute} {phrase.test}  {holds}: {one.own}")


def _read(file: BinaryIO) -> Definition:
    try:
        return definitions.parse(file.read())
    except DefinitionRefused as refused:
        refuse(refused.problems)


def _print(problems: list[Problem]) -> None:
    for one in problems:
        click.echo(json.dumps(one.as_dict(), ensure_ascii=False))


@export.command("schema", cls=Command)
def schema() -> None:
    """Print the JSON Schema of definitions, as docs/definition.schema.json holds it."""
    click.echo(json.dumps(definitions.json_schema(), indent=2, ensure_ascii=False))
