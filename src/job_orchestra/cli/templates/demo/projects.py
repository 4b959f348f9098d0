"""The project of the demonstration: a build, a check that fails, a measurement, and a pipeline made of such jobs."""

import sys
from pathlib import Path

from job_orchestra import Element, Job, Parameter, Pipeline, Project

PROGRAMS = str(Path(__file__).parent).replace("{", "{{").replace("}", "}}")
PYTHON = sys.executable.replace("{", "{{").replace("}", "}}")

projects = [
    Project(
        "example",
        display_name="Example",
        description="What Job Orchestra does, in a few jobs.",
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
            Job(
                "report",
                description="Writes down what was measured.",
                commands=[["echo", "{parameters[text]}"]],
                parameters=[Parameter("text")],
                workspace="run",
            ),
            Pipeline(
                "release",
                description="Builds, measures twice, checks, and reports; what was not needed is skipped.",
                elements=[
                    Element("build", job="build", parameters={"seconds": 1}),
                    Element(
                        "measure", job="measure", after=["build"], for_each=[10, 1000], parameters={"count": "{item}"}
                    ),
                    Element("check", job="check", after=["build"], allow_failure=True),
                    Element(
                        "report",
                        job="report",
                        after=["measure", "check"],
                        parameters={"text": "The sum is {elements[measure][items][1][results][sum]}."},
                    ),
                    Element(
                        "alarm",
                        job="report",
                        after=["measure"],
                        when="elements.measure.items.1.results.sum > 1000000",
                        parameters={"text": "That is too much."},
                    ),
                ],
            ),
        ],
    ),
]
