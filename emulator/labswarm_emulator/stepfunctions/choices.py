"""A Choice without a match is States.NoChoiceMatched, and one on a field that is missing fails.

moto says States.Runtime for the first, and takes the second for a rule that does not match, which
is kinder than AWS: there only IsPresent may look at a missing field.
https://states-language.net/spec.html#choice-state
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.state.choice.choice_rule import ChoiceRule
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import (
    ConditionStringJSONata,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (  # noqa: E501
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import (
    ComparisonVariable,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice

from labswarm_emulator.stepfunctions.failures import failure


def _matches(rule: ChoiceRule, env: Any) -> bool:
    rule.eval(env)
    return env.stack.pop() is True


def install() -> None:
    """Choose by the rules in their order, then the default."""

    def evaluate(state: StateChoice, env: Any) -> None:
        for rule in state.choices_decl.rules:
            if _matches(rule, env):
                env.stack.append(rule.next_stmt.name)
                return
        if state.default_state is None:
            cause = f"No choice of the state '{state.name}' matched"
            raise failure(env, "States.NoChoiceMatched", cause)
        env.stack.append(state.default_state.state_name)

    def compare(comparison: ComparisonVariable, env: Any) -> None:
        comparison.variable.eval(env)
        function = comparison.comparison_function
        is_present = function.operator_type is ComparisonOperatorType.IsPresent
        if isinstance(env.stack[-1], NoSuchVariable) and not is_present:
            path = comparison.variable.string_sampler.literal_value
            cause = f"Invalid path '{path}': the choice state's condition path is not there."
            raise failure(env, "States.Runtime", cause)
        function.eval(env)

    def decide(condition: ConditionStringJSONata, env: Any) -> None:
        condition.string_jsonata.eval(env=env)
        if not isinstance(env.stack[-1], bool):
            cause = f"The Condition '{condition.string_jsonata.expression}' gives no boolean."
            raise failure(env, "States.QueryEvaluationError", cause)

    StateChoice._eval_state = evaluate
    ConditionStringJSONata._eval_body = decide
    ComparisonVariable._eval_body = compare
