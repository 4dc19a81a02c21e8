"""The tree of errors."""

import inspect

from impasto import errors
from impasto.errors import ImpastoError, LayerError, MissingExtraError, SettingsError


def test_every_error_is_in_the_tree():
    """One base catches all, and the drawing in the module's docstring names each."""
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]
    assert len(classes) > 5
    assert all(issubclass(value, ImpastoError) for value in classes)
    assert all(value.__name__ in errors.__doc__ for value in classes)


def test_errors_are_also_what_python_calls_them():
    """So that code which knows nothing of impasto catches them, too."""
    assert issubclass(SettingsError, ValueError)
    assert issubclass(LayerError, ValueError)
    assert issubclass(MissingExtraError, ImportError)
