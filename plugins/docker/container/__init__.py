"""docker.Container: its properties, what it asks of the engine, and what goes into the state."""
