"""The projects of this installation. The master reads them when it starts; `orchestra config check` checks them."""

from job_orchestra import Job, Parameter, Project

projects = [
    Project(
        "example",
        description="A first project.",
        jobs=[
            Job(
                "hello",
                description="Greets whoever is named.",
                # Each command is a list of arguments, formatted like Python's format strings. Besides the fields
                # {parameters[...]}, there are {project}, {job}, {run}, {results[...]} and {environment[...]}.
                commands=[
                    ["echo", "Hello, {parameters[name]}!"],
                    ["python3", "-c", "import platform; print('from', platform.node())"],
                ],
                # A parameter without a default has to be given with each trigger.
                parameters=[Parameter("name", default="world", description="Who is greeted.")],
                # Only workers that have these properties take the job.
                properties={"operating_system": "linux"},
                # Seconds after which a run is aborted.
                timeout=600,
            ),
        ],
    ),
]
