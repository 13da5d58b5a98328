"""What can be done to one portal, from its onboarding to its purge."""
