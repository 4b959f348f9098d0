from job_orchestra import Job, Parameter, Project

projects = [
    Project(
        "example",
        display_name="Example",
        description="Builds what the other projects need.",
        services={
            "Tracker": "https://tracker.example.org/example",
            "Documents": "https://documents.example.org/example",
        },
        jobs=[
            Job(
                "build",
                commands=[["echo", "built", "{parameters[branch]}"]],
                parameters=[Parameter("branch", default="main")],
            ),
        ],
    ),
]
