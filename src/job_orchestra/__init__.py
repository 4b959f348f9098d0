"""What a projects file imports. Light: nothing here needs a package from outside the standard library."""

from job_orchestra.domain.declarations import Element, Job, Parameter, Pipeline, Project, Schedule
from job_orchestra.version import __version__

__all__ = ["Element", "Job", "Parameter", "Pipeline", "Project", "Schedule", "__version__"]
