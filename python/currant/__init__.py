"""A live metadata index of a code monorepo that is never silently stale."""
