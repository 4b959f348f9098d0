"""The only place that names concrete classes: how each application is built, and where users override.

A user subclasses `MasterComposition` (or another), overrides one `cached_property`, and names the class in the
settings: `[master] composition = "our_master:OurMaster"`.
"""
