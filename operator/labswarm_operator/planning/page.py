"""An answer as a page that needs no other file: the verdict first, in one look."""

from html import escape

from labswarm.planning.answer import Answer, LabAnswer
from labswarm.planning.words import duration
from labswarm_operator.planning.picture import VERDICTS, picture
from labswarm_operator.planning.text import clock, cost, prices, recorded, replayed, when

_STYLE = """
body { font: 16px/1.5 "DejaVu Sans", Verdana, sans-serif; max-width: 900px; margin: 2rem auto;
  padding: 0 1rem; color: #222; }
h1 { color: #fff; padding: 1rem 1.25rem; border-radius: 6px; font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; }
svg { width: 100%; height: auto; }
small, footer { color: #555; }
"""
_COLUMNS = ("Lab", "Students", "Half wait", "95 of 100", "Worst", "Nodes from", "Cost")


def page(answer: Answer) -> str:
    """Return the answer as an HTML document."""
    verdict = VERDICTS[answer.verdict]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(answer.headline)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1 style="background: {verdict}">{escape(answer.headline)}</h1>
{_changes(answer)}
{picture(answer, titled=False)}
<table>
<tr>{"".join(f"<th>{column}</th>" for column in _COLUMNS)}</tr>
{"".join(_row(lab) for lab in answer.labs)}
</table>
{_recorded(answer)}<p>Cost: {escape(cost(answer.cost))}.</p>
{_footer(answer)}
</body>
</html>
"""


def _changes(answer: Answer) -> str:
    """The changes that the verdict itself does not name."""
    remedies = [remedy for remedy in answer.remedies if remedy not in answer.headline]
    items = "".join(f"<li>{escape(remedy)}</li>" for remedy in remedies)
    return f"<p><strong>To change:</strong></p>\n<ul>{items}</ul>" if remedies else ""


def _row(lab: LabAnswer) -> str:
    price = "" if lab.cost.usd is None else f"${lab.cost.usd:.2f}"
    cells = (
        f"{escape(lab.name)}<br><small>{when(lab.starts, lab.ends)}</small>",
        f"{lab.served} of {lab.students}",
        duration(lab.waits.p50_s),
        duration(lab.waits.p95_s),
        duration(lab.waits.worst_s),
        clock(lab.asked_from) if lab.asked_from else "-",
        price,
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _recorded(answer: Answer) -> str:
    if answer.recorded is None:
        return ""
    said = [recorded(answer.recorded, answer.waits)]
    if answer.replayed:
        said.append(replayed(answer.replayed))
    return "".join(f"<p>{escape(sentence)}.</p>\n" for sentence in said)


def _footer(answer: Answer) -> str:
    known = [f"Prices: {prices(answer.prices)}."] if answer.prices else []
    missing = (
        [f"Not known, not checked: {', '.join(answer.not_checked)}."] if answer.not_checked else []
    )
    items = "".join(f"<li>{escape(text)}</li>" for text in [*answer.assumed, *known, *missing])
    return f"<footer><p>Assumed:</p><ul>{items}</ul></footer>"
