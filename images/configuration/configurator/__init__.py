"""Open edX's configuration inside a container: checked, merged by Ansible, taken up while the service runs."""
