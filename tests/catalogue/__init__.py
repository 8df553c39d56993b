"""What can go wrong between a disk and its index, a test for each: `docs/guarantees.md` has the list."""
