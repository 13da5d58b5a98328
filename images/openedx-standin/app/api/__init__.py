"""Open edX's REST APIs, as far as the stand-in has what they are about."""
