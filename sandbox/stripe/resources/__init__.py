"""The endpoints, one file per resource."""

from importlib import import_module
from pkgutil import walk_packages


def load() -> None:
    """Import every module here, so that its endpoints are registered."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
