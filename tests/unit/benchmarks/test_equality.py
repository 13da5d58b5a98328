"""Whether two tools made the same containers: every difference is named."""

import json

import pytest

from benchmarks import equality


def test_differences_name_object_and_fact() -> None:
    ours = {"container acme-lms": {"Config.User": '"1000"'}, "volume acme-x": {}}
    theirs = {"container acme-lms": {"Config.User": '"0"'}}
    assert list(equality.differences(ours, theirs)) == [
        'container acme-lms: Config.User: ours "1000", theirs "0"',
        "volume acme-x: only ours has it",
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "as_good"),
    [
        (["lms"], ["lms"], True),
        ([], ["lms"], True),
        (["lms"], [], False),
        (["lms"], ["lms", "mysql"], False),
    ],
)
def test_the_peer_may_answer_to_its_services_name_besides(
    ours: list[str], theirs: list[str], as_good: bool
) -> None:
    name, key = "container acme-lms", "Networks acme-private aliases"
    differing = list(equality.differences({name: {key: json.dumps(ours)}}, {name: {key: json.dumps(theirs)}}))
    assert (differing == []) is as_good
