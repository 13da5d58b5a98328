"""What an engine has of a portal, and what is asked of it: a command in a container, logs, the limit of processes."""
