"""The routes, one file for each subject. A handler says what it takes and what comes back, and nothing
else."""
