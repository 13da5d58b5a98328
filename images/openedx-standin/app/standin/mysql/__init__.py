"""Django's MySQL backend on PyMySQL, with migrations that can be resumed."""
