"""Read the files in a folder with the programs that customers use, and compare every value.

usage: readers.py FOLDER

expected.json has the companies with their types, and expected.csv the texts of their cells. Each reader prints one line; the
exit status is 1 if one reads another value."""

import csv, datetime, json, pathlib, subprocess, sys, tempfile

import duckdb, openpyxl, pandas, polars, pyarrow, pyarrow.csv, pyarrow.json, pyarrow.parquet

folder = pathlib.Path(sys.argv[1])
typed = json.loads((folder / "expected.json").read_text())
with open(folder / "expected.csv", newline="", encoding="utf-8") as f:
    cells = list(csv.DictReader(f))
columns = list(cells[0])
failed = False


def instant(v):
    """A time in UTC as text, to the microsecond."""
    if isinstance(v, str):
        v = datetime.datetime.fromisoformat(v.replace("Z", "+00:00"))
    if v.tzinfo:
        v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return v.isoformat(timespec="microseconds")


def missing(v):
    return v is None or v is pandas.NaT or isinstance(v, float) and v != v


def plain(column, v):
    """A value of a typed file as JSON has it."""
    if missing(v):
        return None
    if column in ("created_at", "updated_at"):
        return instant(v)
    if column == "attributes":
        return json.loads(v) if isinstance(v, str) else {k: x for k, x in v.items() if x is not None}
    if column == "connections":
        return [{"category": c["category"], "company": dict(c["company"])} for c in v]
    if hasattr(v, "tolist"):
        v = v.tolist()
    if isinstance(v, float) and v.is_integer():
        return int(v)
    return list(v) if isinstance(v, (list, tuple)) else v if isinstance(v, int) else str(v)


def text(column, v, digits=6):
    """A value of a table as the text of its cell, a time with so many digits of its second."""
    if missing(v):
        return ""
    if column in ("created_at", "updated_at") and v != "":
        return instant(v)[: len("2026-03-01T12:30:00.") + digits]
    if isinstance(v, float) and v.is_integer():
        v = int(v)
    return str(v)


def compare(reader, rows, want, left_out=()):
    global failed
    wrong = [] if len(rows) == len(want) else [f"{len(rows)} rows instead of {len(want)}"]
    for i, (got, expected) in enumerate(zip(rows, want)):
        for column in columns:
            if column not in left_out and got[column] != expected[column]:
                wrong.append(f"row {i + 1}, {column}: {got[column]!r} instead of {expected[column]!r}")
    failed = failed or bool(wrong)
    print(f"{reader}: " + ("; ".join(wrong[:5]) if wrong else f"{len(rows)} rows"))


def attempt(reader, read):
    try:
        return read()
    except Exception as e:  # of any reader
        print(f"{reader}: {e}")
        return []


def compare_typed(reader, read, left_out=()):
    rows = attempt(reader, read)
    rows = [{c: plain(c, r[c]) for c in columns if c not in left_out} for r in rows]
    compare(reader, rows, [{c: plain(c, r[c]) for c in columns} for r in typed], left_out)


def compare_cells(reader, read, digits=6):
    rows = attempt(reader, read)
    rows = [{c: text(c, r[c], digits) for c in columns} for r in rows]
    compare(reader, rows, [{c: text(c, r[c], digits) for c in columns} for r in cells])


def records(relation):
    names = relation.columns
    return [dict(zip(names, row)) for row in relation.fetchall()]


for end in ("", ".gz", ".zst"):
    path = str(folder / ("companies.csv" + end))
    compression = {"": None, ".gz": "gzip", ".zst": "zstd"}[end]
    compare_cells("duckdb csv" + end, lambda: records(duckdb.sql(f"SELECT * FROM read_csv('{path}', all_varchar = true)")))
    compare_cells("pandas csv" + end, lambda: pandas.read_csv(path, dtype=str, keep_default_na=False).to_dict("records"))
    compare_cells("polars csv" + end, lambda: polars.read_csv(path, infer_schema=False).to_dicts())
    with pyarrow.input_stream(path, compression=compression) as stream:
        table = pyarrow.csv.read_csv(
            stream,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types={c: pyarrow.string() for c in columns}),
        )
    compare_cells("pyarrow csv" + end, lambda: table.to_pylist())

    path = str(folder / ("companies.ndjson" + end))
    kinds = "columns = {" + ", ".join(f"{c}: '{kind}'" for c, kind in {
        **dict.fromkeys(columns, "VARCHAR"),
        **dict.fromkeys(("industries", "naics_codes", "technologies", "technology_categories"), "VARCHAR[]"),
        **dict.fromkeys(("employee_count", "founded_year"), "BIGINT"),
        "connections": "STRUCT(category VARCHAR, company STRUCT(id VARCHAR, name VARCHAR, domain VARCHAR))[]",
        "attributes": "JSON",
    }.items()) + "}"
    compare_typed("duckdb ndjson" + end, lambda: records(duckdb.sql(f"SELECT * FROM read_json('{path}', {kinds})")))
    compare_typed("pandas ndjson" + end, lambda: pandas.read_json(path, lines=True, dtype=False).to_dict("records"))
    with pyarrow.input_stream(path, compression=compression) as stream:
        lines = stream.read()
    compare_typed("polars ndjson" + end, lambda: polars.read_ndjson(lines, infer_schema_length=None).to_dicts())
    compare_typed("pyarrow ndjson" + end, lambda: pyarrow.json.read_json(pyarrow.BufferReader(lines)).to_pylist(), left_out=("attributes",))

    path = str(folder / ("companies.json" + end))
    compare_typed("duckdb json" + end, lambda: records(duckdb.sql(f"SELECT * FROM read_json('{path}', {kinds})")))
    compare_typed("pandas json" + end, lambda: pandas.read_json(path, dtype=False).to_dict("records"))
    if end == "":
        compare_typed("polars json", lambda: polars.read_json(path, infer_schema_length=None).to_dicts())

path = str(folder / "companies.parquet")
compare_typed("duckdb parquet", lambda: records(duckdb.sql(f"SELECT * FROM '{path}'")))
compare_typed("pandas parquet", lambda: pandas.read_parquet(path).to_dict("records"))
compare_typed("polars parquet", lambda: polars.read_parquet(path).to_dicts())
compare_typed("pyarrow parquet", lambda: pyarrow.parquet.read_table(path).to_pylist())

path = str(folder / "companies.xlsx")
for read_only in (False, True):
    rows = list(openpyxl.load_workbook(path, read_only=read_only).active.iter_rows(values_only=True))
    compare_cells("openpyxl xlsx", lambda: [dict(zip(rows[0], row)) for row in rows[1:]], digits=3)
frame = pandas.read_excel(path, dtype={c: str for c in columns if c not in ("created_at", "updated_at")}, keep_default_na=False)
compare_cells("pandas xlsx", lambda: frame.to_dict("records"), digits=3)
compare_cells("polars xlsx", lambda: polars.read_excel(path, infer_schema_length=0).to_dicts(), digits=3)

if "--libreoffice" in sys.argv:
    text_columns = "/".join(f"{i + 1}/2" for i in range(len(columns)))
    for name, reader in (("companies.csv", ["--infilter=CSV:44,34,76,1," + text_columns]), ("companies.xlsx", [])):
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(
                ["soffice", f"-env:UserInstallation=file://{out}/profile", "--headless", *reader, "--convert-to",
                 "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true", "--outdir", out, str(folder / name)],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300,
            )
            with open(pathlib.Path(out) / "companies.csv", newline="", encoding="utf-8") as f:
                rows = list(csv.DictReader(f))
        # It writes times as the cells show them, in seconds.
        kind = name.rpartition(".")[2]
        compare_cells("libreoffice " + kind, lambda: rows, digits=0 if kind == "xlsx" else 6)

sys.exit(failed)
