"""What a tenant may say and what a release contains: plain Python and YAML, below everything else."""
