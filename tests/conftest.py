"""Common to all tests."""

# Hypothesis' pytest plugin imports it at the very end of a run that did not use it, from so deep a stack that
# CPython 3.11's parser refuses ("AST constructor recursion depth mismatch", https://github.com/python/cpython/issues/106905).
import hypothesis  # noqa: F401
