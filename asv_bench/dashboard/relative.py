"""A publisher that sets each time beside what the machine did in the same run.

On a busy machine everything takes longer, the yardsticks as well.  So each benchmark of times gets
a second one, `relative.` and its name, in units of its yardstick, and asv.conf.json has asv look
for regressions in these alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asv.plugins import regressions
from asv.publishing import OutputPublisher
from asv.results import Results, iter_results

from .suite import YARDSTICK, Traits, class_of, traits

PREFIX = "relative."
_MEASURED = f"{YARDSTICK}.time_call"


class RelativeFigures(OutputPublisher):
    """The first publisher: the others find its graphs among asv's own."""

    name = "relative_figures"
    button_label = "Relative figures"
    description = "Times in units of a yardstick of the same run"
    order = -1

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        # The feed of regressions looks up when a benchmark was measured.
        regressions.iter_results = _with_relative_names
        known = traits()
        for name, benchmark in list(benchmarks.items()):
            if not graphs.get_graph_group(name):
                del benchmarks[name]  # whose pages would be empty
                continue
            found = known.get(class_of(name), Traits())
            benchmark["marks"] = found.marks
            if benchmark.get("unit") != "seconds" or name == _MEASURED:
                continue
            added = False
            for graph in graphs.get_graph_group(name):
                yardsticks = graphs.get_graph(_MEASURED, graph.params)
                unit = _series(benchmarks, yardsticks, found.yardstick)
                points = relative(graph.get_data(), unit)
                if points:
                    made = graphs.get_graph(PREFIX + name, graph.params)
                    for point in points:
                        made.add_data_point(*point)
                    made.save(conf.html_dir)
                    added = True
            if added:
                benchmarks[PREFIX + name] = {
                    **benchmark,
                    "name": PREFIX + name,
                    "unit": found.yardstick,
                    "marks": {},
                }


def relative(
    points: list[tuple[int, Any, Any]], unit: dict[int, float]
) -> list[tuple[int, Any, Any]]:
    """Return the points of a graph in units of the yardstick of the same revision.

    Parameters
    ----------
    points : list of tuple
        Revisions, values and weights (reciprocal widths of intervals), as asv keeps them: one
        value, or a list with one for each combination of parameters; None is no value.
    unit : dict
        The yardstick's seconds by revision.  Points without one are left out.

    Examples
    --------
    >>> relative([(7, [0.5, None], [10.0, None]), (8, [0.5, 1.0], [1.0, 1.0])], {7: 0.25})
    [(7, [2.0, None], [2.5, None])]
    """
    return [
        (revision, _each(value, 1 / unit[revision]), _each(weight, unit[revision]))
        for revision, value, weight in points
        if unit.get(revision)
    ]


def _with_relative_names(folder: str) -> Iterator[Results]:
    for results in iter_results(folder):
        times = results.started_at
        times.update({PREFIX + name: time for name, time in times.items()})
        yield results


def _each(value: Any, factor: float) -> Any:
    if isinstance(value, list):
        return [_each(one, factor) for one in value]
    return None if value is None else value * factor


def _series(benchmarks: Any, graph: Any, yardstick: str) -> dict[int, float]:
    """Return the seconds of one yardstick by revision; of none if it was not measured."""
    if _MEASURED not in benchmarks:
        return {}
    (names,) = benchmarks[_MEASURED]["params"]
    index = names.index(repr(yardstick))
    return {revision: values[index] for revision, values, _ in graph.get_data() if values}
