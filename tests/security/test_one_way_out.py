"""All that is printed goes through the modules that write out what is not ours."""

import ast
from pathlib import Path

from tests.programs import ROOT

# Where printing is, and why there.
MAY = {
    "toolchain/output.py": "writes it out",
    "toolchain/__main__.py": "tells an old Python that it is one, in words of its own",
    "automation/images/progress.py": "a terminal's live line, of texts written out",
    "automation/locked_cli.py": "stands alone between ./portal and the CLI; one line of its own words, read by ./portal",
}


def printing(path: Path) -> list[str]:
    """The places of a file that write on a standard stream."""
    places = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name) and node.id in ("print", "pprint"):
            # Called, or handed on to be.
            places.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.id}")
        if not isinstance(node, ast.Call):
            continue
        words = ast.unparse(node.func)
        if words in ("builtins.print", "typer.echo", "click.echo", "typer.secho", "rich.print", "os.write"):
            places.append(f"{path.relative_to(ROOT)}:{node.lineno}: {words}")
        if words.startswith(("sys.stdout.", "sys.stderr.", "sys.__std")) and words.endswith(
            ("write", "writelines")
        ):
            places.append(f"{path.relative_to(ROOT)}:{node.lineno}: {words}")
        if words.endswith("console.print"):
            places.append(f"{path.relative_to(ROOT)}:{node.lineno}: {words}")
    return places


def test_nothing_is_printed_past_them() -> None:
    paths = [
        each for folder in ("automation", "toolchain", "config") for each in (ROOT / folder).rglob("*.py")
    ]
    assert len(paths) > 100
    past = [place for path in paths if str(path.relative_to(ROOT)) not in MAY for place in printing(path)]
    assert past == []
    assert printing(ROOT / "toolchain" / "output.py")
