"""One command over many tenants: worker processes, one outcome each."""
