"""People: the user table that lms and cms share."""
