"""An Open edX release as data (the .yml files here), and the code that reads it."""
