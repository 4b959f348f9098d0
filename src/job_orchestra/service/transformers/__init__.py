"""Transformers that a composition may take, as they are or as examples:

class OurService(ServiceComposition):
    @cached_property
    def result_transformers(self):
        return (RevisionLinks("https://git.example.org/{project}/commit/{revision}"),)
"""
