"""Answers about a tree as a whole, from the facts of its files.

- `tasks`: how much of the plans in documents is done, by file, directory and project
- `skills`: languages, frameworks, dependencies and tools, from manifests and names
"""

from currant.projects.skills import Skills, skills
from currant.projects.tasks import TaskProgress, task_progress

__all__ = ["Skills", "TaskProgress", "skills", "task_progress"]
