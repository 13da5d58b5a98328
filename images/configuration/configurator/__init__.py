"""Open edX's configuration inside a container: checks overrides, renders settings with Ansible, restarts the software."""
