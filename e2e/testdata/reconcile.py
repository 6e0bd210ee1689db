"""Reconciles a column with the package reconciler, and prints what it returns. Its argument is the address of the service."""

import json
import sys

import numpy
import pandas

numpy.NaN = numpy.nan  # numpy 2 has no such name, which the package uses for a row without candidates

from reconciler import reconcile  # noqa: E402

table = pandas.DataFrame(
    [
        ("acme payments", "US", "acmepayments.example"),
        ("Zürich Ledger", "Switzerland", ""),
        ("Zurich Ledgers", "Switzerland", ""),
        ("Twin", "Germany", ""),
        ("Quite Unlike", "Spain", ""),
    ],
    columns=["name", "country", "domain"],
)


def found(**options):
    rows = reconcile(table["name"], type_id="company", reconciliation_endpoint=sys.argv[1], **options)
    return json.loads(rows.to_json(orient="records"))


json.dump(
    {
        "names": found(top_res="all"),
        "places": found(property_mapping={"country": table["country"], "domain": table["domain"]}),
    },
    sys.stdout,
)
