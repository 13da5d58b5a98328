"""The settings of lms and cms in a portal: edx-platform's own for production, and what these cannot be told by a file.

Runs in the Python of each release's own image, of which the oldest is 3.5. Nothing of edx-platform is in here: what a
release calls its things is read from that release when it starts.
"""
