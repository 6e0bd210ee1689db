package migrations_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
)

// BenchmarkUpgrade runs the steps since 29, which store the keys of companies and the connections again, on an SQLite database with
// 1,000,000 companies and 5 connections of each, or 100,000 with -short.
func BenchmarkUpgrade(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	for range b.N {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "old.db")
		migrateTo(b, "sqlite", path, goose.DialectSQLite3, 29)
		require.NoError(b, run(b, "sqlite", path, `
			PRAGMA journal_mode = WAL;
			BEGIN;
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+strconv.Itoa(n)+`)
			INSERT INTO company (number, id, domain_key, name_key, place_key, seq, record, connections)
			SELECT i, lower(hex(randomblob(4)) || '-0000-4000-8000-' || hex(randomblob(6))), random() >> 32, random() >> 32, random() >> 32,
				i / 10000 + 1, randomblob(600), randomblob(200) FROM n;
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+strconv.Itoa(5*n)+`)
			INSERT INTO connection (identity, source, target, category, source_id, source_name, source_domain, target_id, target_name,
				target_domain, import)
			SELECT random(), i / 5 + 1, abs(random()) % `+strconv.Itoa(n)+` + 1, 'vendor', '', '', 'company' || i || '.example', '', '',
				'target' || i || '.example', 1 FROM n;
			COMMIT`))
		b.StartTimer()
		d := dbtest.Open(b, path)
		b.StopTimer()
		require.NoError(b, d.Close())
	}
}
