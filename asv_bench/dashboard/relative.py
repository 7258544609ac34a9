"""A publisher that sets each time beside what the machine did in the same run.

On a busy machine everything takes longer, the yardsticks as well.  So each benchmark of times gets
a second one, `relative.` and its name, in units of its yardstick, and asv.conf.json has asv look
for regressions in these alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asv._stats import get_weight
from asv.plugins import regressions
from asv.publishing import OutputPublisher
from asv.results import Results, iter_results
from asv.util import is_na

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
        measured = list(iter_results(conf.results_dir))
        for name, benchmark in list(benchmarks.items()):
            group = graphs.get_graph_group(name)
            if not group:
                del benchmarks[name]  # whose pages would be empty
                continue
            found = known.get(class_of(name), Traits())
            benchmark["marks"] = found.marks
            if benchmark.get("unit") != "seconds" or name == _MEASURED:
                continue
            made = []
            for graph in list(group):
                points = [
                    (revisions[results.commit_hash], *figures)
                    for results in measured
                    if _is_drawn_in(graph, results, revisions)
                    for figures in relative(results, benchmarks, name, found.yardstick)
                ]
                if points:
                    made.append(graphs.get_graph(PREFIX + name, graph.params))
                    for point in points:
                        made[-1].add_data_point(*point)
                    made[-1].save(conf.html_dir)
            if made:
                changed = {"name": PREFIX + name, "unit": found.yardstick, "marks": {}}
                benchmarks[PREFIX + name] = {**benchmark, **changed}


def relative(
    results: Results, benchmarks: Any, name: str, yardstick: str
) -> Iterator[tuple[Any, Any]]:
    """Yield the figures and weights of a benchmark in units of the yardstick of the same results.

    The fastest sample is what is divided, by that of the yardstick: others disturbed it least.  It
    is the lower quartile where asv did not keep the samples.

    Parameters
    ----------
    results : asv.results.Results
        Those of one commit.
    benchmarks : dict
        What asv knows of all benchmarks, by name.
    name, yardstick : str
        Of the benchmark, and of one of the yardsticks.

    Yields
    ------
    figures, weights
        One of each, or a list for the combinations of parameters; None is no value.  Nothing is
        yielded where benchmark or yardstick were not measured.
    """
    if not {name, _MEASURED} <= results.get_result_keys(benchmarks):
        return
    names = [value.strip("'") for value in benchmarks[_MEASURED]["params"][0]]
    unit = _fastest(results, benchmarks[_MEASURED])[names.index(yardstick)]
    if unit is None:
        return
    params = benchmarks[name]["params"]
    figures = [
        None if value is None else value / unit for value in _fastest(results, benchmarks[name])
    ]
    weights = [get_weight(stats) for stats in results.get_result_stats(name, params)]
    weights = [None if weight is None else weight * unit for weight in weights]
    yield (figures, weights) if params else (figures[0], weights[0])


def _fastest(results: Results, benchmark: Any) -> list[float | None]:
    given = (benchmark["name"], benchmark["params"])
    figures = zip(
        results.get_result_value(*given),
        results.get_result_samples(*given),
        results.get_result_stats(*given),
        strict=True,
    )
    return [
        None if is_na(value) else min(samples) if samples else (stats or {}).get("q_25", value)
        for value, samples, stats in figures
    ]


def _is_drawn_in(graph: Any, results: Results, revisions: dict[str, int]) -> bool:
    if revisions.get(results.commit_hash) not in graph.data_points:
        return False
    made_with = results.params | {f"env-{name}": value for name, value in results.env_vars.items()}
    return all((graph.params.get(name) or "") == (value or "") for name, value in made_with.items())


def _with_relative_names(folder: str) -> Iterator[Results]:
    for results in iter_results(folder):
        times = results.started_at
        times.update({PREFIX + name: time for name, time in times.items()})
        yield results
