"""Reads what was pulled with programs that others wrote, and says whether types and values are as they should be."""

import datetime
import json
import sys
from pathlib import Path

import duckdb
import pandas
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

folder = Path(sys.argv[1])
rows = [json.loads(line) for line in (folder / "rows.ndjson").read_text().splitlines()]
names = ["id", "yes", "at", "day", "count", "share"]
assert list(rows[0]) == names, rows[0]


def plain(value):
    """A value as NDJSON says it."""
    if value is None or (isinstance(value, float) and value != value) or value is pandas.NaT or value is pandas.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def at_of(text):
    """An instant as NDJSON says it, with all its digits."""
    return None if text is None else plain(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")))


def same(what, found):
    """Compares rows, whatever program read them. Whole numbers beyond 2^53 are texts in NDJSON."""
    expected = [[row["id"], row["yes"], at_of(row["at"]), row["day"], None if row["count"] is None else int(row["count"]), row["share"]] for row in rows]
    found = [[plain(value) for value in row] for row in found]
    assert len(found) == len(expected), (what, len(found))
    for one, other in zip(found, expected):
        assert one == other, (what, one, other)


def by_row(table):
    return zip(*(table.column(name).to_pylist() for name in names))


types = {
    "id": pyarrow.string(),
    "yes": pyarrow.bool_(),
    "at": pyarrow.timestamp("us", tz="UTC"),
    "day": pyarrow.date32(),
    "count": pyarrow.int64(),
    "share": pyarrow.float64(),
}
for what, table in [
    ("pyarrow, Parquet", pyarrow.parquet.read_table(folder / "rows.parquet")),
    ("pyarrow, Arrow", pyarrow.ipc.open_stream((folder / "rows.arrow").read_bytes()).read_all()),
]:
    assert {field.name: field.type for field in table.schema} == types, (what, table.schema)
    same(what, by_row(table))

frame = pandas.read_parquet(folder / "rows.parquet", dtype_backend="pyarrow")
assert str(frame["count"].dtype) == "int64[pyarrow]" and str(frame["at"].dtype) == "timestamp[us, tz=UTC][pyarrow]", frame.dtypes
same("pandas, Parquet", by_row(pyarrow.Table.from_pandas(frame)))
frame = pandas.read_csv(folder / "rows.csv", dtype_backend="pyarrow", dtype={"id": "string[pyarrow]"}, parse_dates=["at"])
assert str(frame["count"].dtype) == "int64[pyarrow]" and str(frame["yes"].dtype) == "bool[pyarrow]", frame.dtypes
assert len(frame) == len(rows)

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
wanted = {"id": "VARCHAR", "yes": "BOOLEAN", "at": "TIMESTAMP WITH TIME ZONE", "day": "DATE", "count": "BIGINT", "share": "DOUBLE"}
described = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM '{folder}/rows.parquet'").fetchall()}
assert described == wanted, described
same("DuckDB, Parquet", by_row(connection.execute(f"SELECT * FROM '{folder}/rows.parquet'").to_arrow_table()))
described = {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM read_csv('{folder}/rows.csv')").fetchall()}
assert (described["count"], described["day"], described["yes"]) == ("BIGINT", "DATE", "BOOLEAN"), described
count = connection.execute(f"SELECT count(*) FROM read_json('{folder}/rows.ndjson')").fetchone()[0]
assert count == len(rows), count
print(f"{len(rows)} rows the same by pyarrow {pyarrow.__version__}, pandas {pandas.__version__} and DuckDB {duckdb.__version__}")
