"""The drive that every host mounts at the same path: its sentinel file, where each tenant's data is, how full it is."""
