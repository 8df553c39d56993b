"""The soak: random operations and adversity on a real file system, against a running watcher.

Shipped with the package, so that anybody can check the promise where it has to hold: on their own file
system and kernel. ``python -m currant.soak`` runs it. Everything happens in a fresh temporary directory.

- `steps`: one operation as a value and as a line of a script
- `model`: what the tree looks like, in memory, so that choosing costs no walk
- `hands`: does an operation on the disk
- `generate`: chooses the next operation, from a seed
- `watcher`: ``currant watch`` in a process of its own: stop, continue, kill, ask
- `queue`: the kernel's queue of notifications made short for a moment; `gate`: a watcher that waits for it
- `lab`: one root, its hands and its watcher; also does the steps that are adversity
- `plan`: which adversity a round gets
- `git`: what git says the files are
- `check`: the index against a fresh one, git, its own change feed and its own counters
- `shrink`: from a failing round to a few steps
- `rivals`, `rival`: the same for two other libraries; `rival` is the program in which they run
- `run`: the rounds; `report`: what came out
"""
