"""The project of the demonstration: a build, checks of which one fails, and a measurement with results."""

import sys
from pathlib import Path

from job_orchestra import Job, Parameter, Project

PROGRAMS = str(Path(__file__).parent).replace("{", "{{").replace("}", "}}")
PYTHON = sys.executable.replace("{", "{{").replace("}", "}}")

projects = [
    Project(
        "example",
        display_name="Example",
        description="What Job Orchestra does, in three jobs.",
        jobs=[
            Job(
                "build",
                description="Compiles a program that does not exist, and shows its progress.",
                setup=[["mkdir", "-p", "output"]],
                commands=[
                    [PYTHON, "-u", f"{PROGRAMS}/build.py", "{parameters[target]}", "{parameters[seconds]}"],
                    ["sh", "-c", "echo 'The program of run {run}' > output/program && ls -l output"],
                ],
                teardown=[["rm", "-rf", "output"]],
                parameters=[
                    Parameter("target", default="release", choices=["debug", "release"]),
                    Parameter("seconds", default=4, description="How long it takes."),
                ],
                properties={"operating_system": "linux"},
            ),
            Job(
                "check",
                description="Fails, as checks do.",
                commands=[[PYTHON, "-u", f"{PROGRAMS}/check.py"]],
            ),
            Job(
                "measure",
                description="Measures something and keeps it as a result.",
                commands=[
                    [PYTHON, f"{PROGRAMS}/measure.py", "{parameters[count]}"],
                    ["echo", "The sum is {results[sum]}, as the command before has saved it."],
                ],
                parameters=[Parameter("count", default=1000, description="How many numbers are added.")],
            ),
        ],
    ),
]
