"""One command at a time on a stack: our lock of it, Pulumi's, and when either is nobody's any more."""
