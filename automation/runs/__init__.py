"""Pulumi's Automation API: previews and runs of one stack, what they tell, and what is held against them afterwards."""
