"""What follows from a tenant and its release: networks, routes, settings, image references."""
