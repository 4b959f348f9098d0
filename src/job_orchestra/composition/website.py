from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.composition.base import ApplicationComposition

if TYPE_CHECKING:
    from job_orchestra.website.application import WebsiteApplication
    from job_orchestra.website.cookie_keys import CookieKeys
    from job_orchestra.website.dispatch import PageRoute


class WebsiteComposition(ApplicationComposition):
    @cached_property
    def template_directories(self) -> Sequence[Path]:
        """Looked through before our own templates."""
        return ()

    @cached_property
    def static_directories(self) -> Sequence[Path]:
        """Likewise for style sheets, pictures and the like."""
        return ()

    @cached_property
    def routes(self) -> Sequence[PageRoute]:
        from job_orchestra.website.routes import ROUTES

        return ROUTES

    @cached_property
    def cookie_keys(self) -> CookieKeys:
        from job_orchestra.website.cookie_keys import read_cookie_keys

        return read_cookie_keys(self.settings.website.cookie_keys)

    @cached_property
    def application(self) -> WebsiteApplication:
        from job_orchestra.website.application import WebsiteApplication

        return WebsiteApplication(
            address=self.settings.website.address,
            port=self.settings.website.port,
            url=self.settings.website.url,
            service_url=self.settings.website.service_url,
            cookie_keys=self.cookie_keys,
            clock=self.clock,
            template_directories=self.template_directories,
            static_directories=self.static_directories,
            routes=self.routes,
        )
