"""What a projects file imports. Nothing here needs a package from outside the standard library.

Looked up when asked for, so that the small programs of this package (executor host, helpers inside runs) start at once.
"""

from typing import TYPE_CHECKING

from job_orchestra.version import __version__

if TYPE_CHECKING:
    from job_orchestra.domain.declarations import (
        Element,
        Job,
        Parameter,
        Pipeline,
        Project,
        Repository,
        Retention,
        Schedule,
        Trigger,
        Webhook,
        checkout,
    )
else:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from job_orchestra.domain import declarations

        return getattr(declarations, name)


__all__ = [
    "Element",
    "Job",
    "Parameter",
    "Pipeline",
    "Project",
    "Repository",
    "Retention",
    "Schedule",
    "Trigger",
    "Webhook",
    "__version__",
    "checkout",
]
