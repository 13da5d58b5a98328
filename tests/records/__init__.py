"""What the real edx-platform answered, and how the stand-in's answers are held to it."""
