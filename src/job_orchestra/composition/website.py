from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.composition.base import ApplicationComposition

if TYPE_CHECKING:
    from job_orchestra.website.application import WebsiteApplication
    from job_orchestra.website.cookie_keys import CookieKeys
    from job_orchestra.website.dispatch import PageRoute
    from job_orchestra.website.external_services import ExternalService
    from job_orchestra.website.page import NavigationEntry
    from job_orchestra.website.parts import WebsiteParts


class WebsiteComposition(ApplicationComposition):
    @cached_property
    def template_directories(self) -> Sequence[Path]:
        """Looked through before our own templates."""
        return self.settings.website.template_directories

    @cached_property
    def static_directories(self) -> Sequence[Path]:
        """Likewise for style sheets, pictures and the like."""
        return self.settings.website.static_directories

    @cached_property
    def template_names(self) -> Mapping[str, object]:
        """What all templates may use by its name, beside what ours use."""
        return {}

    @cached_property
    def navigation(self) -> Sequence[NavigationEntry]:
        """The entries in the head of each page; who has not the permission of one does not see it."""
        from job_orchestra.website.page import NAVIGATION

        return NAVIGATION

    @cached_property
    def routes(self) -> Sequence[PageRoute]:
        """The route table: method, path, handler, permission. Of two that take an address, the first one is asked."""
        from job_orchestra.website.routes import ROUTES

        return ROUTES

    @cached_property
    def cookie_keys(self) -> CookieKeys:
        from job_orchestra.website.cookie_keys import read_cookie_keys

        return read_cookie_keys(self.settings.website.cookie_keys)

    @cached_property
    def external_services(self) -> Sequence[ExternalService]:
        """What the home page tells whether it is well."""
        from job_orchestra.client.http_health import HttpHealth

        services = self.settings.website.external_services
        return tuple(HttpHealth(name, str(url)) for name, url in services.items())

    @cached_property
    def parts(self) -> WebsiteParts:
        """All of the above together; Invalid with everything that is wrong with it."""
        from job_orchestra.website.parts import website_parts

        return website_parts(
            title=self.settings.website.title,
            logo=self.settings.website.logo,
            announcement_file=self.settings.website.announcement_file,
            navigation=self.navigation,
            routes=self.routes,
            template_directories=self.template_directories,
            template_names=self.template_names,
            static_directories=self.static_directories,
            external_services=self.external_services,
        )

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
            parts=self.parts,
        )
