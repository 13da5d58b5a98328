"""What tests and benchmarks stand on: a copied checkout, light images, and portals of theirs."""
