"""How errors quote what was found and suggest what was meant."""

from config.reading.words import did_you_mean, quoted


def test_nothing_that_is_quoted_can_hide_or_run_on() -> None:
    assert quoted("a\nb\x1b\u202e") == r"'a\nb\x1b\u202e'"
    assert quoted("x" * 100) == f"'{'x' * 60}…'"
    assert quoted("\ud800") == r"'\ud800'"


def test_a_near_word_is_suggested_and_a_far_one_is_not() -> None:
    assert did_you_mean("titel", ["title", "hosts"]) == "; did you mean 'title'?"
    assert did_you_mean("TITLE", ["title"]) == "; did you mean 'title'?"
    assert did_you_mean("zzz", ["title"]) == ""
    assert did_you_mean("x" * 10**6, ["title"]) == ""
