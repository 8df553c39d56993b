"""Programs for those who work on Currant; none of them is installed."""
