# SPDX-License-Identifier: MIT
"""A figure is the runs it was taken from; its spread is told with it."""

import statistics


def spread(values):
    """What JSON keeps of a figure: nothing is thrown away."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "runs": list(values)}


def added(with_it, without):
    """Of rounds that measured both: what was added in each."""
    return spread([with_it[number] - without[number]
                   for number in sorted(with_it.keys() & without.keys())])


def ratio(with_it, without):
    return spread([with_it[number] / without[number]
                   for number in sorted(with_it.keys() & without.keys())])


def span(figure, form=".0f", scale=1):
    """'min .. max'"""
    return f"{figure['min'] * scale:{form}} .. {figure['max'] * scale:{form}}"
