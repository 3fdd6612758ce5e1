"""Every way out that the code names exists: the argument, the option, the call and the command."""

import ast
import inspect
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import click
import pytest

import sispy
import sispy_pandas as sp
from sispy.cli import root

FOLDERS = [Path(package.__file__).parent for package in (sispy, sp)]  # type: ignore[arg-type] # both have one
ONLY_PYTHON = {"erase", "expect_broken", "ids", "others"}
"""Arguments that no command has an option for."""
A_VARIABLE = "(what a variable holds)"
NAMES = {
    "sp": dir(sp),
    "sispy": dir(sispy),
    "snapshot": dir(sp.Snapshot),
    "plan": dir(sp.Plan),
    "report": dir(sp.Report),
    "client": dir(sispy.Client),
    "": dir(sp.Plan) + dir(sp.Report),
}
"""What the calls in messages begin with -> what may follow; a plan or report calls itself nothing."""
OF_PANDAS = {"frame", "left", "pd"}


@dataclass(frozen=True)
class Told:
    """Hold what the code of both packages tells people, but for the sandbox's."""

    calls: dict[str, list[ast.Call]]
    """What a call begins with -> where it is: Argument, no_list and Call make remedies."""
    texts: set[str]

    def arguments(self) -> set[str]:
        """Return the arguments that remedies name."""
        made = [node for kind in ("Argument", "no_list") for node in self.calls[kind]]
        return {text_of(node.args[0]) for node in made} - {A_VARIABLE}


@pytest.fixture(scope="module")
def told():
    """The code is read where a test asks: each process that runs tests collects all of them."""
    found = Told(defaultdict(list), set())
    for path in (path for folder in FOLDERS for path in folder.rglob("*.py")):
        if "sandbox" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    found.calls[node.func.id].append(node)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.texts.add(node.value)
    return found


def text_of(node: ast.expr) -> str:
    """Return a text of the code, with `{}` for what is put in when it runs."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc] # of a text
    return ast.literal_eval(node) if isinstance(node, ast.Constant) else A_VARIABLE


def commands() -> dict[str, click.Command]:
    context = click.Context(root.main)
    found = {name: root.main.get_command(context, name) for name in root.COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def options() -> list[click.Option]:
    every = [root.main, *commands().values()]
    return [option for command in every for option in command.params if isinstance(option, click.Option)]


def public_arguments() -> set[str]:
    public = [getattr(package, name) for package in (sispy, sp) for name in package.__all__]
    classes = {base for item in public if inspect.isclass(item) for base in item.__mro__}
    members = [getattr(member, "__func__", member) for one in classes for member in vars(one).values()]
    functions = [item for item in (*public, *members) if isinstance(item, FunctionType)]
    return {name for function in functions for name in inspect.signature(function).parameters}


def test_each_argument_is_one_of_a_public_function_and_has_an_option(told):
    arguments, public = told.arguments(), public_arguments()
    names = {f"{option.name}_" for option in options()}
    found = {
        name: (name in public, any(option.startswith(f"{name}_") for option in names)) for name in arguments
    }

    assert len(arguments) > 3
    assert found == {name: (True, name not in ONLY_PYTHON) for name in arguments}


def test_an_argument_says_what_comes_of_it(told):
    assert [ast.unparse(node) for node in told.calls["Argument"] if text_of(node.args[1]) == A_VARIABLE] == []


def test_each_call_is_one_of_public_names(told):
    calls = {text_of(node.args[0]) for node in told.calls["Call"]}
    named = {name for call in calls for name in re.findall(r"(?<![\w.)])(\w*)\.(\w+)", call)}
    owner_less = {match[1] for call in calls if (match := re.fullmatch(r"(\w+)\(\)", call))}

    assert len(calls) > 3
    ours = [(owner, name) for owner, name in named if owner not in OF_PANDAS]
    assert [f"{owner}.{name}" for owner, name in ours if name not in NAMES[owner]] == []
    assert owner_less - set(dir(sispy.Client)) == set()


def test_on_the_command_line_each_is_a_command_or_an_option(told):
    words = {
        text_of(words.elts[0])
        for node in told.calls["Call"]
        for words in node.args[2:]
        if isinstance(words, ast.Tuple)
    }

    assert len(words) > 3
    assert words - set(root.COMMANDS) - {name for option in options() for name in option.opts} == set()


def test_texts_name_options_and_commands_that_there_are(told):
    named = {
        option
        for text in told.texts
        for option in re.findall(r"(?<![\w(-])--[a-z]+(?:-[a-z]+)*(?![\w(-])", text)  # no arrow
    }
    called = {name for text in told.texts for name in re.findall(r"`sispy ([a-z]+)", text)}

    there = {name for option in options() for name in (*option.opts, *option.secondary_opts)}

    assert named - there == {"--help"}
    assert called - set(root.COMMANDS) == set()
