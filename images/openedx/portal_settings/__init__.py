"""The settings of lms and cms in a portal: edx-platform's own for production, with changes that a file cannot make.

Runs in the Python of each release's own image, of which the oldest is 3.5. No code of edx-platform is here: names that
differ between releases are read from the release at its start.
"""
