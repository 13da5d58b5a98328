"""`./portal preview`, `changed`, `comment`: what would change, whom it touches, and the comment that says so."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automation.cancellation import Cancel
from automation.commands import show
from automation.commands.portals import All, TenantNames, Workers, chosen_tenants
from automation.commands.show import Json
from automation.errors import PortalError, WrongWords
from automation.fleet import outcome, worker_pool
from automation.fleet.outcome import Outcome
from automation.portals import preview as portal_preview
from automation.portals import tenant_files
from automation.review.tenant_review import (
    DATA_LOSS,
    Review,
    at_risk,
    exit_code,
    most_severe_first,
    not_known,
)
from automation.stack import ROOT
from config.reading.words import count_of
from toolchain.output import write_for_program
from toolchain.table import Table, print_table, prose

if TYPE_CHECKING:
    from automation.review.affected_tenants import Affected

app = typer.Typer()
WRITE_FIRST = "create it first: ./portal preview --changed-since origin/main --markdown >comment.md"
Since = Annotated[
    str,
    typer.Option(
        "--changed-since",
        metavar="REF",
        callback=show.not_empty("a git ref, for example origin/main"),
        help="Only tenants that a change since this git ref can affect.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option("--allow", metavar=DATA_LOSS, help="Accept that data may be deleted, moved or left behind."),
]


@app.command(
    epilog="Examples: ./portal preview acme    ./portal preview --all --json    "
    "./portal preview --changed-since origin/main --markdown    ./portal preview acme --allow data-loss\n\n"
    "Exit code 8: data would be deleted, moved or left behind, or a tenant's name or secrets would change; "
    "`--allow data-loss` accepts this. Exit code 10: the engine would refuse the change. Exit code 7: the drive is not "
    "mounted, and nothing else is in the way."
)
def preview(
    tenants: TenantNames = None,
    every: All = False,
    changed_since: Since = "",
    workers: Workers = 0,
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the pull request's comment on standard output.")
    ] = False,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="First compare the state with what the engine really has.")
    ] = False,
    allow: Allow = None,
) -> None:
    """Show what `up` would change, the downtime and the risk to data. Change nothing."""
    allowed = frozenset(allow or ())
    if unknown := sorted(allowed - {DATA_LOSS}):
        raise typer.BadParameter(f"--allow {unknown[0]}: expected {DATA_LOSS}")
    if as_json and markdown:
        raise typer.BadParameter("--json or --markdown, not both")
    to_review, notes = tenants_to_review(tenants, every, changed_since)
    if len(tenants or ()) == 1 and not markdown:
        loaded = tenant_files.load(to_review[0].tenant)
        show.say(f"{loaded.name}: previewing")
        plan = portal_preview.preview(loaded, refresh=refresh, say=show.say)
        reviews, code = [Review(plan.tenant, plan)], 0
        if as_json:
            show.show(reviews[0].facts())
        else:
            print_changes(reviews[0])
    else:
        reviews, code = preview_each(to_review, workers, refresh)
        print_reviews(reviews, notes, as_json=as_json, markdown=markdown, refreshed=refresh, allowed=allowed)
    if risky := at_risk(reviews):
        show.say(
            f"data at risk: {show.names(risky)}"
            + (f"; pass --allow {DATA_LOSS} to accept it" * (not allowed))
        )
    if unsure := not_known(reviews):
        show.say(f"unknown whether data is at risk: {show.names(unsure)}")
    if code or (code := exit_code(reviews, allowed)):
        raise typer.Exit(code)


@app.command(
    epilog="Examples: ./portal changed origin/main    ./portal changed HEAD~3 --json    "
    './portal changed origin/main --markdown >>"$GITHUB_STEP_SUMMARY"'
)
def changed(
    ref: Annotated[str, typer.Argument(metavar="REF", help="A git ref, for example origin/main.")],
    as_json: Json = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a page for a job's summary on standard output.")
    ] = False,
) -> None:
    """Show which tenants a change since a git ref can affect, and why. Needs no engine and no state."""
    if as_json and markdown:
        raise typer.BadParameter("--json or --markdown, not both")
    affected = affected_since(ref)
    if markdown:
        from automation.review import summary

        write_for_program(summary.render(affected))
        return
    if as_json:
        show.show(
            {
                "tenants": {name: list(why) for name, why in affected.tenants.items()},
                "removed": {name: list(why) for name, why in affected.removed.items()},
                "left": list(affected.left),
            }
        )
        return
    table = Table("tenant", prose("why"), grouped=True)
    names = {**affected.tenants, **affected.removed}
    for name, why in names.items():
        for each in why:
            table.add_row(name, each)
    print_table(table, f"{count_of(len(names), 'tenant')} can be touched")
    for each in affected.left:
        show.tell(each)


@app.command(
    epilog="Example: ./portal preview --changed-since origin/main --markdown >comment.md; ./portal comment comment.md"
)
def comment(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The Markdown file, or - for standard input.")],
    author: Annotated[
        str, typer.Option("--author", help="User name of the token. Default: that of GitHub Actions.")
    ] = "",
    number: Annotated[
        int,
        typer.Option(
            "--number",
            min=0,
            show_default=False,
            help="Number of the pull or merge request. Default: that of the CI run.",
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Create or update the preview's comment on a pull request (GitHub Actions) or merge request (GitLab CI)."""
    from automation.review import forge
    from automation.review.comment import LIMIT, MARKER

    try:
        body = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise WrongWords(f"{file}: {error.strerror}; {WRITE_FIRST}") from None
    except UnicodeDecodeError:
        raise WrongWords(f"{file}: is not UTF-8 text; {WRITE_FIRST}") from None
    if not body.startswith(MARKER) or len(body.encode()) > LIMIT:
        raise PortalError(
            f"{file} is not a comment of `./portal preview --markdown`: one begins with {MARKER} and has at most "
            f"{LIMIT:,} bytes; {WRITE_FIRST}"
        )
    where = replace(forge.from_environment(os.environ, author=author, number=number), say=show.say)
    done, address = where.post(body)
    if as_json:
        show.show({"comment": address, "done": done})
    else:
        show.tell(f"{done}: {address}")


def tenants_to_review(tenants: list[str] | None, every: bool, ref: str) -> tuple[list[Review], Sequence[str]]:
    """The tenants to preview, still without their plans, and what was left alone and why."""
    if not ref:
        return [Review(name) for name in chosen_tenants(tenants, every)], ()
    if tenants or every:
        raise typer.BadParameter("name tenants, or pass either --all or --changed-since REF")
    affected = affected_since(ref)
    removed = [Review(name, why=why, removed=True) for name, why in affected.removed.items()]
    return [*(Review(name, why=why) for name, why in affected.tenants.items()), *removed], affected.left


def affected_since(ref: str) -> "Affected":
    """What the files changed since a ref can touch."""
    from automation.review import affected_tenants, changed_files

    return affected_tenants.affected(changed_files.since(ref, ROOT), affected_tenants.Fleet.read(ROOT))


def preview_each(affected: Iterable[Review], workers: int, refresh: bool) -> tuple[list[Review], int]:
    """Preview each, several at a time; the reviews, and the exit code of the previews that failed."""
    to_review = list(affected)
    outcomes: dict[str, Outcome] = {}
    for verb, removed, options in (("preview", False, {"refresh": refresh}), ("removal", True, {})):
        names = [each.tenant for each in to_review if each.removed is removed]
        made = worker_pool.for_each_tenant(
            verb, names, workers=workers, say=show.say, on_outcome=say_outcome, cancel=Cancel(), **options
        )
        outcomes |= {each.tenant: each for each in made}
    reviews = [
        Review(
            each.tenant,
            outcomes[each.tenant].plan,
            failure=outcomes[each.tenant].reason,
            why=each.why,
            removed=each.removed,
        )
        for each in to_review
    ]
    return reviews, outcome.exit_code(list(outcomes.values()))


def say_outcome(each: Outcome) -> None:
    """One line of progress."""
    how = "done" if each.ok else f"failed: {each.reason}"
    show.say_of(each.tenant, f"preview {how} ({each.seconds:.1f} s)")


def print_reviews(
    reviews: Sequence[Review],
    notes: Sequence[str],
    *,
    as_json: bool,
    markdown: bool,
    refreshed: bool,
    allowed: Iterable[str],
) -> None:
    """Many reviews as JSON, as a comment, or as a table."""
    if as_json:
        show.show({"tenants": {each.tenant: each.facts() for each in reviews}, "left": list(notes)})
        return
    if markdown:
        from automation.review.comment import render

        write_for_program(render(reviews, notes=notes, refreshed=refreshed, allowed=allowed))
        return
    table = Table("tenant", prose("preview"), "downtime", "risk to data")
    for each in most_severe_first(reviews):
        what = each.plan.summary if each.plan else f"failed: {each.failure}"
        if each.obstacles:
            what += f"; would be refused: {each.obstacles[0]}"
        say_engine_findings(each)
        table.add_row(each.tenant, what, each.verdict.downtime, each.verdict.data)
    failed = sum(each.failed for each in reviews)
    quiet = sum(each.quiet for each in reviews)
    counts = {"would change": len(reviews) - failed - quiet, "stay as they are": quiet, "failed": failed}
    total = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    print_table(table, count_of(len(reviews), "tenant") + (f": {total}" if total else ""))
    for note in notes:
        show.tell(note)


def say_engine_findings(review: Review) -> None:
    """What its engine would refuse, what is worth knowing, and where nobody could ask."""
    for each in review.obstacles:
        show.say_of(review.tenant, f"`up` would be refused: {each}")
    for note in review.plan.notes if review.plan else ():
        show.say_of(review.tenant, note)
    if review.unchecked:
        show.say_of(review.tenant, f"could not check the engine's capacity: {review.unchecked}")


def print_changes(review: Review) -> None:
    """One tenant's changes, one a line, the most dangerous first."""
    say_engine_findings(review)
    if review.plan is not None and review.quiet:
        show.tell(f"{review.tenant}: {review.plan.summary}")
        return
    table = Table("op", "type", "name", prose("properties"), "downtime", "risk to data")
    for each in review.verdict.judged:
        change = each.change
        table.add_row(
            change.op,
            change.type,
            change.name,
            change.properties,
            each.downtime,
            each.data,
        )
    print_table(table, f"{review.tenant}: {review.plan.summary}" if review.plan else "")
