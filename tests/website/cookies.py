"""Keys of cookies that are known to a test."""

from __future__ import annotations

from cryptography.fernet import Fernet

from job_orchestra.website.cookie_keys import CookieKeys

KEYS = CookieKeys([Fernet.generate_key().decode()])
