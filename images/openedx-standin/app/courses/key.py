"""Course keys, such as `course-v1:acme+PY101+2024`."""

import re

PART = r"[A-Za-z0-9_.~-]{1,50}"
KEY = re.compile(rf"course-v1:{PART}\+{PART}\+{PART}")


def make(org: str, number: str, run: str) -> str:
    """The key of a course's run."""
    return f"course-v1:{org}+{number}+{run}"
