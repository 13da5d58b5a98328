"""What a build's first stages leave behind."""

from automation.images.stages import Stages


def test_only_the_ends_of_first_stages_are_left_over() -> None:
    stages = Stages()
    for line in (
        *("Step 1/6 : ARG BASE", "Step 2/6 : FROM ${BASE} AS made", " ---> 000000000001"),
        *("Step 3/6 : RUN true", " ---> Running in 00000000000a", " ---> 000000000002"),
        *("Step 4/6 : FROM ${BASE}", " ---> 000000000001"),
        *(
            "Step 5/6 : COPY --from=made / /",
            " ---> 000000000003",
            "Step 6/6 : USER 1:1",
            " ---> 000000000004",
        ),
    ):
        stages.read_line(line)
    assert stages.ends == ["000000000002"]
