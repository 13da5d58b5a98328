"""Open edX's forum as an HTTP service of its own: openedx-forum on mongo and elasticsearch, with the v1 API."""
