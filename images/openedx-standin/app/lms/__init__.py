"""The learners' side."""
