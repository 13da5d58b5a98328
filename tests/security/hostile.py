"""Hostile names and texts, and what a terminal, a browser or a CI job would take as a command in them."""

import re

from markdown_it import MarkdownIt

ERROR = "::error file=a::owned"
# What makes a text more than text, by who obeys it.
SEEDS = (
    # Terminals: colours, titles, links, the clipboard, another screen, the cursor.
    "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "\x1b]52;c;ZXZpbA==\x07",
    "\x1b[2J", "\x1b[1A\x1b[2K", "\x1b[?1049h", "\x9b31m", "\x9d0;title\x9c", "\x90q\x9c", "\x07", "\x08\x08", "\x7f", "\x00",
    "\x0e", "\x1bc", "\x1b[8mhidden", "\x85", "\x0b\x0c",
    # Readers: direction, invisible letters.
    "\u202egpj.exe", "\u2066x\u2069", "\u200f", "\u061c", "\ufeff", "\u200b", "\U000e0041\U000e0042", "\u2028x", "\u2029x",
    "\u00ad", "\ud800", "\udcff", "\ue000", "\uffff",
    # Jobs of GitHub, GitLab, Azure.
    ERROR, f"\n{ERROR}", f"\r{ERROR}", f"\r\n{ERROR}", f" \t{ERROR}", f"\u00a0{ERROR}", f"\u2028{ERROR}", f"\x85{ERROR}",
    "\n::stop-commands::x", "\n::add-mask::a", "\n::set-output name=a::b", "##[error]owned", "\n##[group]x", "a##[add-mask]e",
    "##vso[task.setvariable variable=a]b", "###[error]x",
    "section_start:1:evil[collapsed=true]\r\x1b[0Kx", "\r\x1b[0Ksection_end:1:evil\r\x1b[0K",
    # Markdown and HTML.
    "`", "```", "\n```\n", "~~~", "|", "| a |\n|---|", "</details>", "</code>", "<script>alert(1)</script>", "<img src=x onerror=a>",
    "<!-- portals: preview -->", "-->", "]]>", "<![CDATA[", "&lt;", "@octocat", "@org/team", "#1", "GH-1", "octo/cat#1",
    "[a](http://evil.example)", "[a]: http://evil.example", "http://evil.example", "www.evil.example", "a@evil.example",
    "![](http://evil.example/x.png)", "*b*", "_c_", "$x$", ":tada:", "\n/merge", "\n/label ~data-loss", "\n# h", "\n- a", "\\",
    # Shells, paths, templates, formats, markup of rich's, JSON.
    "$(id)", "`id`", ";id", "&&id", "../../etc/passwd", "/etc/passwd", "-rf", "--all", "~root", "{{7*7}}", "{%x%}", "%s%n",
    "{0}", "[bold]x[/]", "[link=http://evil.example]x[/link]", "[/nothing]", '"', "'", '\\u001b[31m', "${{ secrets.A }}", "\n",
)  # fmt: skip
SHAPES = ("{}", "a{}", "tenants/{}.yaml", "x {} y" + " word" * 20)
# In the order of the seeds, so that a test's number names the same text tomorrow.
FEW = SEEDS
TEXTS = tuple(dict.fromkeys(shape.replace("{}", seed) for seed in SEEDS for shape in SHAPES))
assert len(TEXTS) > 200

# https://github.com/actions/runner/blob/258d6c857db3/src/Runner.Common/ActionCommand.cs
_COMMAND = re.compile(r"^\s*::\S[^:]*::")
_OLDER = re.compile(r"##\w*\[")
_SECTION = re.compile(r"section_(start|end):\d+:\S*\r\x1b\[0K")
# What rich colours a table's head with on a terminal is no text of others; no test here has a terminal.
_ALLOWED = frozenset("\n\t\u200c\u200d\u00a0\u202f")


def obeyed_by_terminal(log: str) -> list[str]:
    """The parts of a text that a terminal or a CI job would take as commands; empty when it is only text."""
    obeyed = [f"U+{ord(each):04X}" for each in log if not each.isprintable() and each not in _ALLOWED]
    for line in log.split("\n"):
        obeyed += [f"command {match[0]!r}" for match in (_COMMAND.search(line), _OLDER.search(line)) if match]
    return [*obeyed, *(match[0] for match in _SECTION.finditer(log))]


_PAGE = MarkdownIt("gfm-like", {"linkify": False, "html": True})
_TAGS = re.compile(r"</?([a-z!?][a-z0-9-]*)[^>]*>", re.IGNORECASE)
_OURS = frozenset(("table", "thead", "tbody", "tr", "th", "td", "code"))


def rendered(page: str) -> str:
    """A page of Markdown as HTML."""
    return str(_PAGE.render(page))


def obeyed_by_browser(page: str) -> list[str]:
    """The parts of a Markdown table that a browser or a forge would interpret: foreign tags, and text outside of code."""
    html = rendered(page)
    obeyed = [f"tag {match[0]}" for match in _TAGS.finditer(html) if match[1].lower() not in _OURS]
    obeyed += [f"attribute {match[0]}" for match in _TAGS.finditer(html) if "=" in match[0]]
    # A forge looks for mentions, numbers and links outside of code alone.
    outside = re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)
    return [*obeyed, *(each for each in ("@", "#1", "evil", "GH-", "~", "\n/") if each in outside)]
