# SPDX-License-Identifier: MIT
"""A figure keeps the runs it came from, and is shown with their spread."""

import statistics


def spread(values):
    """A figure as JSON, with all its runs."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": list(values)}


def added(with_it, without):
    """The difference in each round that measured both."""
    return spread([with_it[number] - without[number]
                   for number in sorted(with_it.keys() & without.keys())])


def span(figure, form=".0f", scale=1):
    """'min .. max'"""
    return f"{figure['min'] * scale:{form}} .. {figure['max'] * scale:{form}}"
