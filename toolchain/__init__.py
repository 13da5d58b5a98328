"""Gets engine, Pulumi CLI, language host, plugins and virtual environment onto a machine. Standard library only."""
