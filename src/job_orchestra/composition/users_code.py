"""Importing what users wrote: `module:name`, found beside the settings file first. Faults name their file and line."""

from __future__ import annotations

import importlib
import sys
import traceback
from importlib.machinery import PathFinder
from pathlib import Path

from job_orchestra.domain.errors import Invalid


def import_name(name: str, directory: Path, place: str) -> object:
    """What `module:name` stands for; Invalid at `place`, or at the line of the module that is at fault."""
    module_name, _, attribute_path = name.partition(":")
    value: object = _import(module_name, directory, place)
    for attribute in attribute_path.split("."):
        try:
            value = getattr(value, attribute)
        except AttributeError:
            message = f"{name!r} cannot be found: module {module_name} has no {attribute_path}"
            raise Invalid.at(place, message) from None
    return value


def has_module(name: str, directory: Path) -> bool:
    """Whether `module:name` names a module that is beside the settings file; nothing is imported."""
    top = name.partition(":")[0].partition(".")[0]
    return PathFinder.find_spec(top, [str(directory)]) is not None


def _import(name: str, directory: Path, place: str) -> object:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise _fault(error, directory, name) from error
        message = f"there is no module {error.name!r}, neither in {directory} nor among the installed packages"
        raise Invalid.at(place, message) from None
    except SyntaxError as error:
        raise Invalid.at(
            f"{shown_file(error.filename, directory)}:{error.lineno}", f"SyntaxError: {error.msg}"
        ) from error
    except (Exception, SystemExit) as error:
        # The module is the user's: whatever it raises is a mistake to be shown at its line.
        raise _fault(error, directory, name) from error


def _fault(error: BaseException, directory: Path, name: str) -> Invalid:
    """At the innermost line of the user's own files."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(Path(frame.filename), directory)]
    outside = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    words = f"{type(error).__name__}: {error}".rstrip(": ").encode(errors="replace").decode()
    if not own and not outside:
        return Invalid.at(name, words)
    frame = (own or outside)[-1]
    return Invalid.at(f"{shown_file(frame.filename, directory)}:{frame.lineno}", words)


def shown_file(filename: str | None, directory: Path) -> str:
    """Relative to the installation, where it is inside."""
    path = Path(filename or "?")
    return str(path.relative_to(directory)) if path.is_relative_to(directory) else str(path)


def _is_own(file: Path, directory: Path) -> bool:
    # A virtual environment may well be in the installation's directory.
    return file.is_relative_to(directory) and "site-packages" not in file.parts
