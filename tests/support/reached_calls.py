"""The AWS calls that a Lambda function can reach, found by its types.

From a module's top level and its handler, every function that is called or named is followed; the
call of a protocol's method goes to each class that the program makes and that implements it.
Arguments are followed too, as far as they are texts in the code: "*" stands for values of events
and answers.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod

import botocore.session
from botocore import xform_name
from mypy import nodes, types
from mypy.patterns import AsPattern
from mypy.subtypes import is_subtype
from mypy.typevars import fill_typevars

from labswarm.names import DEFAULT
from labswarm_emulator.actions import action_of
from tests.support.typed_programs import Functions, NotFollowed, Programs, children, definitions

ANY = frozenset({"*"})
_NOTHING: frozenset[str] = frozenset()
_MOST_VALUES = 12
_CLIENTS = "mypy_boto3_"
_NO_CALLS = ("get_paginator", "can_paginate", "close")
_MAKERS = re.compile(r"boto3\.(client|resource|(session\.)?Session)|botocore\.session\.\w+")


@dataclass(frozen=True)
class Call:
    """One call of an AWS API: its IAM action, and the possible values of its arguments."""

    action: str
    arguments: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)


def calls(
    programs: Programs, module: str, handler: str, environment: Mapping[str, str]
) -> list[Call]:
    """Every call that a module's top level and its `handler` can reach.

    `environment` has the template's values. Raises NotFollowed for a variable that it does not set,
    and for a client whose type is not known.
    """
    return _Following(programs, module, environment).until_nothing_is_new(handler)


@cache
def action_of_method(service: str, method: str) -> str:
    """The IAM action of a client's method, by botocore's model of the service.

    Raises NotFollowed when the service has no such operation.
    """
    model = botocore.session.get_session().get_service_model(service)
    for operation in model.operation_names:
        if xform_name(operation) == method:
            return action_of(model, operation)
    raise NotFollowed(f"{service} has no operation {method}")


class _Following:
    def __init__(self, programs: Programs, module: str, environment: Mapping[str, str]) -> None:
        self._programs = programs
        self._module = module
        self._environment = environment
        self._reached: dict[str, nodes.FuncDef] = {}
        self._made: dict[str, nodes.TypeInfo] = {}
        self._said: dict[object, frozenset[str]] = {}
        self._asked: set[object] = set()
        self._calls: dict[nodes.CallExpr, Call] = {}

    def until_nothing_is_new(self, handler: str) -> list[Call]:
        self._named(self._programs.modules[self._module].names[handler].node)
        while self._step():
            pass
        return list(self._calls.values())

    def _step(self) -> bool:
        """Walk through all that is reached once; whether that has shown anything new."""
        before = (len(self._reached), len(self._made), dict(self._said))
        top_level = self._programs.modules[self._module].defs
        # Another module's top level only makes constants.
        constants = [s for tree in self._programs.imported for s in tree.defs if _assigns(s)]
        for statement in [s for s in top_level if not _defines(s)] + constants:
            self._walk(statement)
        for function in list(self._reached.values()):
            self._walk(function.body)
        if before != (len(self._reached), len(self._made), self._said):
            return True
        # Values that nothing followed sets: a class's constant, a property.
        unsaid = [key for key in self._asked if not self._said.get(key)]
        self._said.update(dict.fromkeys(unsaid, ANY))
        return bool(unsaid)

    def _walk(self, node: nodes.Node) -> None:
        match node:
            case nodes.CallExpr(callee=callee):
                for argument in node.args:
                    self._walk(argument)
                self._called(node)
                if isinstance(callee, nodes.MemberExpr):
                    self._walk(callee.expr)
                elif not isinstance(callee, nodes.NameExpr):
                    self._walk(callee)
                return
            case nodes.NameExpr() | nodes.MemberExpr() | nodes.SuperExpr():
                for function in self._functions(node):
                    self._named(function)
            case nodes.AssignmentStmt(lvalues=targets, rvalue=value):
                for target in targets:
                    self._assign(target, self._texts(value))
            case nodes.ForStmt(index=target):
                self._assign(target, ANY)
            case nodes.WithStmt(target=targets):
                for target in filter(None, targets):
                    self._assign(target, ANY)
            case AsPattern(name=nodes.NameExpr() as captured):
                self._assign(captured, ANY)
        for child in children(node):
            self._walk(child)

    # Reached functions

    def _called(self, call: nodes.CallExpr) -> None:
        if self._makes_client(call) or self._is_of_aws(call):
            return
        for info in self._constructed(call.callee):
            self._made[info.fullname] = info
            init = info.get("__init__")
            if init and isinstance(init.node, nodes.FuncDef):
                self._bind(init.node, call, info.fullname if init.plugin_generated else "")
        for function in self._functions(call.callee):
            self._bind(function, call)

    def _named(self, node: object) -> None:
        """A function that is only named may be called with anything."""
        for function in definitions(node):
            self._reach(function)
            for argument in function.arguments:
                self._add(argument.variable, ANY)

    def _reach(self, function: nodes.FuncDef) -> None:
        if any(function.fullname.startswith(f"{name}.") for name in self._programs.modules):
            self._reached[function.fullname] = function

    def _bind(self, function: nodes.FuncDef, call: nodes.CallExpr, dataclass: str = "") -> None:
        """Reach the function, and give its parameters what this call gives them.

        The parameters of a dataclass's own `__init__` are its attributes.
        """
        self._reach(function)
        formals = function.arguments[bool(function.info) and not function.is_static :]
        given: dict[str, nodes.Expression] = {}
        starred = any(kind.is_star() for kind in call.arg_kinds)
        for number, (argument, name) in enumerate(zip(call.args, call.arg_names, strict=True)):
            if name or number < len(formals):
                given[name or formals[number].variable.name] = argument
        for formal in formals:
            name = formal.variable.name
            value = given.get(name, formal.initializer)
            texts = ANY if starred or value is None else self._texts(value)
            self._add((dataclass, name) if dataclass else formal.variable, texts)

    def _constructed(self, callee: nodes.Expression) -> Iterable[nodes.TypeInfo]:
        kind = types.get_proper_type(self._programs.types.get(callee))
        if isinstance(kind, types.Overloaded):
            kind = kind.items[0]
        if isinstance(kind, types.CallableType) and kind.is_type_obj():
            yield kind.type_object()

    def _functions(self, callee: nodes.Expression) -> Iterable[nodes.FuncDef]:
        owners: Iterable[nodes.TypeInfo] = ()
        match callee:
            case nodes.RefExpr(node=node) if isinstance(node, Functions):
                yield from definitions(node)
                return
            case nodes.MemberExpr(expr=owner):
                owners = [o for c in self._programs.classes(owner) for o in (c, *self._heirs(c))]
            case nodes.SuperExpr(info=nodes.TypeInfo() as info):
                owners = info.mro[1:2]
        for info in owners:
            symbol = info.get(callee.name)  # type: ignore[attr-defined]  # both cases have one
            yield from definitions(symbol and symbol.node)

    def _heirs(self, info: nodes.TypeInfo) -> Iterable[nodes.TypeInfo]:
        """The classes made so far that may stand where this one is said."""
        if info.is_protocol and info.module_name in self._programs.modules:
            for made in self._made.values():
                if is_subtype(fill_typevars(made), fill_typevars(info)):
                    yield made

    # Calls of AWS

    def _makes_client(self, call: nodes.CallExpr) -> bool:
        if not _MAKERS.fullmatch(getattr(call.callee, "fullname", None) or ""):
            return False
        made = [info.module_name for info in self._programs.classes(call)]
        if not made or not all(name.startswith(_CLIENTS) for name in made):
            raise NotFollowed(f"{self._module}: line {call.line} makes a client of no known type")
        return True

    def _is_of_aws(self, call: nodes.CallExpr) -> bool:
        callee = call.callee
        if not isinstance(callee, nodes.MemberExpr):
            return False
        for info in self._programs.classes(callee.expr):
            package = info.module_name.partition(".")[0]
            if not package.startswith(_CLIENTS):
                continue
            method = callee.name
            if method == "paginate":
                method = xform_name(info.name.removesuffix("Paginator"))
            if method not in _NO_CALLS:
                self._calls[call] = Call(
                    action_of_method(package.removeprefix(_CLIENTS).replace("_", "-"), method),
                    {
                        name: self._texts(value)
                        for name, value in zip(call.arg_names, call.args, strict=True)
                        if name
                    },
                )
            return True
        return False

    # Texts

    def _assign(self, target: nodes.Node, texts: frozenset[str]) -> None:
        match target:
            case nodes.NameExpr(node=variable):
                self._add(variable, texts)
            case nodes.MemberExpr(expr=owner, name=name):
                for info in self._programs.classes(owner):
                    self._add((info.fullname, name), texts)
            case nodes.TupleExpr(items=items) | nodes.ListExpr(items=items):
                for item in items:
                    self._assign(item, ANY)

    def _add(self, key: object, texts: frozenset[str]) -> None:
        texts |= self._said.get(key, _NOTHING)
        self._said[key] = ANY if texts >= ANY or len(texts) > _MOST_VALUES else texts

    def _texts(self, expression: nodes.Expression) -> frozenset[str]:
        """The texts that an expression can be; none as long as nothing has reached it."""
        match expression:
            case nodes.StrExpr(value=text):
                return frozenset({text})
            case nodes.OpExpr(op="+", left=left, right=right):
                return self._joined([left, right])
            case nodes.ConditionalExpr(if_expr=one, else_expr=other):
                return self._texts(one) | self._texts(other)
            case nodes.ListExpr(items=items) | nodes.TupleExpr(items=items):
                return _NOTHING.union(*map(self._texts, items))
            case nodes.DictExpr(items=pairs):
                return _NOTHING.union(*(self._texts(key) for key, _ in pairs if key))
            case nodes.CallExpr(
                callee=nodes.MemberExpr(expr=nodes.StrExpr(value=""), name="join"),
                args=[nodes.ListExpr(items=parts)],
            ):  # an f-string
                return self._joined(parts)
            case nodes.CallExpr(
                callee=nodes.MemberExpr(expr=nodes.StrExpr(), name="format"), args=[part, *_]
            ):  # and its parts
                return self._texts(part)
            case nodes.CallExpr(callee=nodes.RefExpr(fullname="builtins.str"), args=[part]):
                return self._texts(part)
            case nodes.CallExpr(callee=nodes.RefExpr(fullname="labswarm.names.prefix")):
                return frozenset({DEFAULT})
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname="labswarm.names.app_name"), args=[part]
            ):
                return frozenset(f"{DEFAULT}-{text}" for text in self._texts(part))
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname="labswarm.aws.environment.required"),
                args=[nodes.StrExpr(value=name)],
            ):
                if name not in self._environment:
                    raise NotFollowed(f"{self._module}: the template does not set {name}")
                return frozenset({self._environment[name]})
            case nodes.NameExpr(node=nodes.Var() as variable):
                return self._known(variable)
            case nodes.MemberExpr(expr=owner, name=name):
                held = [(info.fullname, name) for info in self._programs.classes(owner)]
                if held:
                    return _NOTHING.union(*map(self._known, held))
        return ANY  # fmt: skip

    def _known(self, key: object) -> frozenset[str]:
        self._asked.add(key)
        return self._said.get(key, _NOTHING)

    def _joined(self, parts: Sequence[nodes.Expression]) -> frozenset[str]:
        choices = [self._texts(part) for part in parts]
        if prod(map(len, choices)) > _MOST_VALUES:
            return ANY
        return frozenset(re.sub(r"\*+", "*", "".join(texts)) for texts in product(*choices))


def _assigns(statement: nodes.Statement) -> bool:
    return isinstance(statement, nodes.AssignmentStmt)


def _defines(statement: nodes.Statement) -> bool:
    return isinstance(statement, Functions | nodes.ClassDef)
