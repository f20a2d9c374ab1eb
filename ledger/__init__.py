"""Pure: the double-entry book of quotas and subsidies."""
