"""The strings of a definition are JSON: a written `\\u00e9` is é.

moto takes some of them as they are written and others as Python would read them, so a path or a
call with a quote in it is another one. https://www.rfc-editor.org/rfc/rfc8259#section-7
"""

import json
from typing import Any

from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlt4utils import antlr4utils
from moto.stepfunctions.parser.asl.antlt4utils.antlr4utils import is_terminal
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from labswarm_emulator.stepfunctions import interpreter


def text(token: Any) -> str:
    """The text of a token of the definition."""
    written = str(token.getText())
    return str(json.loads(written)) if written.startswith('"') else written


def install() -> None:
    """Read all of them as JSON."""

    def inner(parser_rule_context: Any) -> str | None:
        return (
            None if is_terminal(parser_rule_context, ASLLexer.NULL) else text(parser_rule_context)
        )

    def literal(parser_rule_context: Any) -> str:
        return text(parser_rule_context)

    Preprocessor._inner_string_of = staticmethod(inner)
    interpreter.replace("from_string_literal", antlr4utils.from_string_literal, literal)
