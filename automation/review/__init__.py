"""What a change of files does to each tenant: changed files, change rules, verdict, the comment, and the forge that takes it."""
