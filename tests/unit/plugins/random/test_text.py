"""Random text: which characters, and how many of each class."""

from plugins.random.text import random_text


def test_random_text_holds_its_minimums() -> None:
    inputs = {
        "length": 12,
        "minUpper": 4,
        "minNumeric": 4,
        "minSpecial": 4,
        "lower": False,
        "overrideSpecial": "_",
    }
    for _ in range(50):
        text = random_text(inputs)
        assert len(text) == 12
        assert (
            sum(each.isupper() for each in text)
            == sum(each.isdigit() for each in text)
            == text.count("_")
            == 4
        )


def test_random_text_without_special_characters() -> None:
    assert random_text({"length": 400, "special": False, "upper": False}).isalnum()
