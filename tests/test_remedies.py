"""Every way out that the code names exists: the argument, the option, the call and the command."""

import ast
import inspect
import re
from collections.abc import Iterator
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


def trees() -> Iterator[ast.AST]:
    for folder in FOLDERS:
        for path in folder.rglob("*.py"):
            if "sandbox" not in path.parts:
                yield ast.parse(path.read_text(encoding="utf-8"))


def made(kind: str) -> list[ast.Call]:
    """Return the places where a remedy of a kind is made."""
    return [
        node
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind
    ]


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


ARGUMENTS = sorted(
    {text_of(node.args[0]) for kind in ("Argument", "no_list") for node in made(kind)} - {A_VARIABLE}
)
CALLS = sorted({text_of(node.args[0]) for node in made("Call")})
SHELL = sorted(
    {
        text_of(words.elts[0])
        for node in made("Call")
        for words in node.args[2:]
        if isinstance(words, ast.Tuple)
    }
)


def test_there_are_remedies_to_look_at():
    assert min(map(len, (ARGUMENTS, CALLS, SHELL))) > 3


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_is_one_of_a_public_function_and_has_an_option(name):
    has_option = any(option.name == name or f"{option.name}".startswith(f"{name}_") for option in options())

    assert (name in public_arguments(), has_option) == (True, name not in ONLY_PYTHON)


def test_an_argument_says_what_comes_of_it():
    assert [ast.unparse(node) for node in made("Argument") if text_of(node.args[1]) == A_VARIABLE] == []


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_one_of_public_names(call):
    for owner, name in re.findall(r"(?<![\w.)])(\w*)\.(\w+)", call):
        assert owner in OF_PANDAS or name in NAMES[owner], f"{owner}.{name}"
    if owner_less := re.fullmatch(r"(\w+)\(\)", call):
        assert owner_less[1] in dir(sispy.Client)


@pytest.mark.parametrize("word", SHELL)
def test_on_the_command_line_it_is_a_command_or_an_option(word):
    assert word in root.COMMANDS or any(word in option.opts for option in options())


def test_texts_name_options_and_commands_that_there_are():
    texts = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {
        option
        for text in texts
        for option in re.findall(r"(?<![\w(-])--[a-z]+(?:-[a-z]+)*(?![\w(-])", text)  # no arrow
    }
    called = {name for text in texts for name in re.findall(r"`sispy ([a-z]+)", text)}

    there = {name for option in options() for name in (*option.opts, *option.secondary_opts)}

    assert named - there == {"--help"}
    assert called - set(root.COMMANDS) == set()
