# Loads with the example: dlt_load.py EXAMPLE API TOKEN FILTERS MAX_CREDITS, in the working directory. It prints what was loaded and what is there.
import json
import runpy
import sys

import dlt

example, api, token, filters, max_credits = sys.argv[1:]
capi = runpy.run_path(example)["capi"]
pipeline = dlt.pipeline("companies", destination=dlt.destinations.duckdb("companies.duckdb"), dataset_name="capi", pipelines_dir="pipelines")
pipeline.run(capi(filters=json.loads(filters), max_credits=int(max_credits), api=api, token=token))
loaded = pipeline.last_trace.last_normalize_info.row_counts.get("companies", 0)
with pipeline.sql_client() as client:
    rows = client.execute_sql("SELECT id, name, employee_count FROM companies ORDER BY employee_count, id")
print(json.dumps({"loaded": loaded, "rows": [{"id": i, "name": n, "employees": e} for i, n, e in rows]}))
