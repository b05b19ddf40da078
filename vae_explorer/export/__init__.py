"""Things to take away, with what is needed to make them again.

The package can be called: it is ``vae_explorer.export``, see ``making.export``.
"""

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    def __call__(self, *args: Any, **fields: Any) -> None:
        from vae_explorer.export.making import export

        export(*args, **fields)


sys.modules[__name__].__class__ = _Package
