"""What applications say beside their work: one line each, with the time in UTC."""

from __future__ import annotations

import logging
import time

from job_orchestra.settings.sections import LoggingSettings


def configure_logging(name: str, settings: LoggingSettings) -> None:
    """Our own messages from the level of the settings on; those of libraries only from warnings on."""
    handler = logging.FileHandler(settings.file, delay=True) if settings.file else logging.StreamHandler()
    formatter = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ {name} %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("job_orchestra").setLevel(settings.level.upper())
