"""Loads the companies of a search from CAPI with dlt: everything the first time, then what was added or changed since."""

import json
import time
import uuid
from collections.abc import Iterator

import dlt
from dlt.sources.helpers import requests

BATCH = 1_000
POLL_SECONDS = 1

# The types of the columns, so that they are there before the first value is. Lists become tables of their own.
COLUMNS = {
    **{name: {"data_type": "text"} for name in (
        "id", "name", "domain", "website", "linkedin_url", "description", "country", "country_code", "state", "city",
    )},
    "employee_count": {"data_type": "bigint"},
    "founded_year": {"data_type": "bigint"},
    "attributes": {"data_type": "json"},
    "created_at": {"data_type": "timestamp"},
    "updated_at": {"data_type": "timestamp"},
}


class CAPIError(Exception):
    """An error that the server answered with: its code and its message."""


@dlt.source(name="capi")
def capi(filters: dict, max_credits: int, api: str = dlt.config.value, token: str = dlt.secrets.value):
    """The companies that match the filters, as the resource companies.

    filters are the search_filters of POST /exports. One load spends at most max_credits, and fails before it would
    spend more. api is the base URL, such as https://capi.example.com/api/v1. token needs the scope read_write.
    """
    return companies(filters, max_credits, api, token)


@dlt.resource(
    name="companies",
    primary_key="id",
    write_disposition="merge",
    columns=COLUMNS,
)
def companies(filters: dict, max_credits: int, api: str, token: str) -> Iterator[list[dict]]:
    """The companies that were added or changed since the load before, all of them the first time and when the filters have changed.

    An export holds 10,000 companies. If there are more, further exports follow, each without the companies of those before it. The
    catalog's changes are counted from the first of them, and dlt keeps its id in the same step as the rows: a load that fails is simply
    done again, and what it has bought is free then.
    """
    state = dlt.current.resource_state()
    wanted = dict(filters)
    if state.get("filters") == filters:
        wanted["changed_since"] = state["export_id"]
    exports = []
    while True:
        if exports:
            wanted["not_in"] = [*filters.get("not_in", []), *({"export_id": e} for e in exports)]
        made = _create(api, token, wanted, max_credits)
        if made is None:
            break
        export_id = made["export_job"]["id"]
        exports.append(export_id)
        max_credits -= made["credits_charged"]
        yield from _rows(api, token, _completed(api, token, export_id))
        if not made["capped_at_10k"]:
            break
    if exports:
        state["filters"], state["export_id"] = filters, exports[0]


def _create(api: str, token: str, filters: dict, max_credits: int) -> dict | None:
    """Buys an export. None if nothing matches."""
    body = {"name": "dlt", "search_filters": filters, "export_format": "ndjson", "max_credits": max_credits}
    try:
        # The key makes it safe to send the request again, which dlt does when the connection fails.
        return _send("POST", api + "/exports", token, json=body, key=str(uuid.uuid4()))
    except CAPIError as e:
        if e.args[0] == "no_candidates":
            return None
        raise


def _completed(api: str, token: str, export_id: str) -> dict:
    while True:
        export = _send("GET", f"{api}/exports/{export_id}", token)
        if export["status"] == "completed":
            return export
        if export["status"] in ("failed", "cancelled"):
            raise CAPIError(export["status"], f"Export {export_id} is {export['status']}. What it had charged was refunded.")
        time.sleep(POLL_SECONDS)


def _rows(api: str, token: str, export: dict) -> Iterator[list[dict]]:
    link = _send("POST", f"{api}/exports/{export['id']}/download", token)["download_url"]
    found, batch = 0, []
    with requests.get(link, stream=True) as response:
        for line in response.iter_lines():
            batch.append(json.loads(line))
            found += 1
            if len(batch) == BATCH:
                yield batch
                batch = []
    if found != export["total_records"]:
        raise CAPIError("truncated", f"The file of export {export['id']} has {found} companies, not {export['total_records']}.")
    if batch:
        yield batch


def _send(method: str, url: str, token: str, json: dict | None = None, key: str | None = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"}
    if key:
        headers["Idempotency-Key"] = key
    try:
        return requests.request(method, url, json=json, headers=headers).json()
    except requests.HTTPError as e:
        try:
            detail = e.response.json()["detail"]
        except (ValueError, KeyError, TypeError):
            raise e from None
        raise CAPIError(detail["code"], detail["message"]) from None


if __name__ == "__main__":
    pipeline = dlt.pipeline("companies", destination="duckdb", dataset_name="capi")
    print(pipeline.run(capi(filters={"countries": ["US"], "query": "fintech"}, max_credits=200)))
