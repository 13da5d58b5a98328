"""A small course as the archive that studio imports: one lesson with a text, a problem and a discussion."""

import gzip
import io
import tarfile

TITLE = "Mosses of the Bog"
WORD = "sphagnum"
ORG, NUMBER, RUN = "hub", "MB101", "2023_T1"

FILES = {
    "course.xml": f'<course url_name="{RUN}" org="{ORG}" course="{NUMBER}"/>',
    f"course/{RUN}.xml": (
        f'<course display_name="{TITLE}" start="&quot;2020-01-01T00:00:00+00:00&quot;"'
        ' language="en"><chapter url_name="week"/></course>'
    ),
    "chapter/week.xml": '<chapter display_name="Week 1"><sequential url_name="lesson"/></chapter>',
    "sequential/lesson.xml": (
        '<sequential display_name="Lesson" format="Homework" graded="true"><vertical url_name="unit"/></sequential>'
    ),
    "vertical/unit.xml": (
        '<vertical display_name="Unit"><html url_name="text"/><problem url_name="question"/>'
        '<discussion url_name="talk"/></vertical>'
    ),
    "html/text.xml": '<html filename="text" display_name="What a bog is"/>',
    "html/text.html": f"<p>A bog is built by {WORD}, which holds water.</p>",
    "problem/question.xml": (
        '<problem display_name="Question"><stringresponse answer="sphagnum" type="ci">'
        "<label>What builds a bog?</label><textline/></stringresponse></problem>"
    ),
    "discussion/talk.xml": (
        '<discussion discussion_id="mosses" discussion_category="Week 1" discussion_target="Bogs"/>'
    ),
    "about/overview.html": "<p>What grows where nothing else does.</p>",
    f"policies/{RUN}/policy.json": f'{{"course/{RUN}": {{"display_name": "{TITLE}"}}}}',
    f"policies/{RUN}/grading_policy.json": (
        '{"GRADER": [{"type": "Homework", "short_label": "HW", "min_count": 1, "drop_count": 0, "weight": 1.0}],'
        ' "GRADE_CUTOFFS": {"Pass": 0.5}}'
    ),
}


def archive() -> bytes:
    """The course, always the same bytes."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in FILES.items():
            info = tarfile.TarInfo(f"course/{name}")
            info.size = len(text.encode())
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(made.getvalue(), mtime=0)
