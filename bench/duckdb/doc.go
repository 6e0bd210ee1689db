// Package duckdb is DuckDB as a contender: columns, packed facet rows unnested in SQL, sorted side tables for the
// filters, scans for text.
package duckdb
