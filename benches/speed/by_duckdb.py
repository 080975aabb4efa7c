"""DuckDB's side: the same rows with the same treatments, written as one file by one COPY; prints the seconds it took.

usage: by_duckdb.py FORMAT SOURCE TARGET COUNTRY...        or: by_duckdb.py count FILE
or: by_duckdb.py rows SOURCE TARGET
"""
import sys
import time

import duckdb

connection = duckdb.connect()
connection.execute("SET threads = 2")
connection.execute("SET enable_progress_bar = false")
if sys.argv[1] == "count":
    path = sys.argv[2]
    reader = {"t": "read_parquet", "v": "read_csv", "n": "read_json"}[path[-1]]
    print(connection.execute(f"SELECT count(*) FROM {reader}('{path}')").fetchone()[0])
    sys.exit()
if sys.argv[1] == "rows":
    connection.execute(f"COPY (SELECT * FROM read_parquet('{sys.argv[2]}')) TO '{sys.argv[3]}' (FORMAT csv, HEADER)")
    sys.exit()
form, source, target, *countries = sys.argv[1:]
options = {"parquet": "FORMAT parquet", "parquet-zstd": "FORMAT parquet, COMPRESSION zstd", "csv": "FORMAT csv, HEADER", "ndjson": "FORMAT json"}[form]
wanted = ", ".join(f"'{country}'" for country in countries)
# DuckDB has no HMAC: one hash over key and value is less work than the two of an HMAC. Its text is hexadecimal.
copy = f"""
COPY (
    SELECT left(sha256('0123456789abcdef0123456789abcdef' || customer_id), 32) AS customer_id,
           left(email, 1) || '***' || substr(email, strpos(email, '@')) AS email,
           year(birth_date) AS birth_date,
           strftime(signed_up, '%Y-%m') AS signed_up,
           left(postal_code, 2) AS postal_code,
           country,
           loyalty_tier,
           round_even(lifetime_value / 10, 0) * 10 AS lifetime_value
    FROM read_parquet('{source}')
    WHERE country IN ({wanted})
) TO '{target}' ({options})
"""
begun = time.perf_counter()
connection.execute(copy)
print(time.perf_counter() - begun)
