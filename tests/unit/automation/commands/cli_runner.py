"""Runs a command of `./portal` in this process, and reads what it printed."""

import re

from typer.testing import CliRunner, Result

from automation import cli


def run_portal(*words: str) -> Result:
    return CliRunner().invoke(cli.app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})


def output_line(result: Result) -> str:
    """Its words without a frame."""
    return " ".join(re.sub("[╭╮╰╯│─]", " ", result.output).split())
