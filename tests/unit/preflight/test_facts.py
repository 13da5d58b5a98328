"""What a helper container prints, cut into pages."""

from hypothesis import given
from hypothesis import strategies as st

from preflight.facts import FILES, PAGE, split_files


@given(st.text(), st.text(), st.text(alphabet="0123456789ABCDEF \t\n:", max_size=60))
def test_what_a_helper_says_is_cut_by_its_pages_alone(one: str, two: str, three: str) -> None:
    pages = {path: text for path, text in zip(FILES, (one, two, three), strict=False) if PAGE not in text}
    output = "".join(f"{PAGE}{path}\n{text}" for path, text in pages.items())
    assert split_files(output) == pages
