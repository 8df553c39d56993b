"""A pytest plugin: `import watchfiles` finds `currant.watch` and what belongs to it.

The module that is patched by the tests (`watchfiles.main`) is the one that our `watch` looks into.
"""

import sys
import types

import watchfiles
import watchfiles.run

from currant import watching
from currant.watching import environment, main, notify, process

_internal = {
    "_default_force_polling": environment.force_polling,
    "_default_ignore_permission_denied": environment.ignore_permission_denied,
    "_calc_async_timeout": environment.async_timeout,
}


def _module(name: str, **names: object) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(names)
    sys.modules[name] = module
    return module


vars(main).update(_internal)
_run = _module(
    "watchfiles.run",
    **{name: value for name, value in vars(watchfiles.run).items() if not name.startswith("__")},
)
vars(_run).update(run_process=process.run_process, arun_process=process.arun_process)
_native = _module("watchfiles._rust_notify", RustNotify=notify.RustNotify)
sys.modules["watchfiles.main"] = main
_module(
    "watchfiles",
    **{name: getattr(watching, name) for name in watching.__all__},
    main=main,
    run=_run,
    filters=watchfiles.filters,
    _rust_notify=_native,
    __path__=[],
)
