"""The learners' site."""
