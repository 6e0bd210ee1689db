package migrations_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/migrations"
)

// contracts are the statements that the version before could not survive: it no longer uses what they remove, because the version named
// here was the first without it. CONTRIBUTING.md describes how a change is spread over two versions.
var contracts = map[string]string{
	// "DROP COLUMN token.scope": "1.4: nothing reads it",
}

// expandFrom is the first migration that must leave the version before running.
const expandFrom = 54

// With PostgreSQL, servers of the version before go on while a new one migrates. SQLite has one server at a time.
func TestTheVersionBeforeSurvivesEachMigration(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations.For("postgres"), "*.sql")
	require.NoError(t, err)
	checked, found := 0, []string{}
	for _, file := range files {
		number, _, _ := strings.Cut(file, "_")
		n, err := strconv.Atoi(number)
		require.NoError(t, err)
		if n < expandFrom {
			continue
		}
		checked++
		content, err := fs.ReadFile(migrations.For("postgres"), file)
		require.NoError(t, err)
		for _, what := range breaks(string(content)) {
			found = append(found, what)
			require.Contains(t, contracts, what, "%s: servers of the version before, which go on running, do not survive this; see CONTRIBUTING.md", file)
		}
	}
	require.Positive(t, checked)
	for what := range contracts {
		require.Contains(t, found, what, "no migration does this")
	}
}

var (
	sqlComment  = regexp.MustCompile(`--[^\n]*`)
	sqlSpace    = regexp.MustCompile(`\s+`)
	tableName   = `(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(\w+)"?`
	createTable = regexp.MustCompile(`(?i)^CREATE (?:UNLOGGED )?TABLE ` + tableName)
	alterTable  = regexp.MustCompile(`(?i)^ALTER TABLE ` + tableName + ` (.*)$`)
	otherChange = regexp.MustCompile(`(?i)^(DROP TABLE|TRUNCATE(?: TABLE)?|DELETE FROM|LOCK TABLE) ` + tableName)
	uniqueIndex = regexp.MustCompile(`(?i)^CREATE UNIQUE INDEX .* ON ` + tableName)
	addColumn   = regexp.MustCompile(`(?i)^ADD (?:COLUMN )?(?:IF NOT EXISTS )?"?(\w+)"?`)
)

// breaks returns the changes of a migration that break programs that know the schema before it.
func breaks(content string) (found []string) {
	content = sqlSpace.ReplaceAllString(sqlComment.ReplaceAllString(content, ""), " ")
	made := []string{} // tables, which older programs do not use
	for statement := range strings.SplitSeq(content, ";") {
		statement = strings.TrimSpace(statement)
		if m := createTable.FindStringSubmatch(statement); m != nil {
			made = append(made, m[1])
			continue
		}
		found = append(found, breaksOf(statement, made)...)
	}
	return found
}

func breaksOf(statement string, made []string) (found []string) {
	if m := alterTable.FindStringSubmatch(statement); m != nil && !slices.Contains(made, m[1]) {
		for clause := range strings.SplitSeq(m[2], ", ") { // the rest of a clause with a comma in it is not found
			if what := breaksTable(m[1], clause); what != "" {
				found = append(found, what)
			}
		}
	}
	if m := uniqueIndex.FindStringSubmatch(statement); m != nil && !slices.Contains(made, m[1]) {
		found = append(found, "CREATE UNIQUE INDEX on "+m[1])
	}
	if m := otherChange.FindStringSubmatch(statement); m != nil && !slices.Contains(made, m[2]) {
		found = append(found, strings.ToUpper(m[1])+" "+m[2])
	}
	for _, prefix := range []string{"DROP INDEX ", "CREATE TRIGGER ", "CREATE OR REPLACE TRIGGER ", "DROP TYPE ", "DROP VIEW "} {
		if strings.HasPrefix(strings.ToUpper(statement), prefix) {
			found = append(found, statement)
		}
	}
	return found
}

// breaksTable returns what a clause of ALTER TABLE breaks; empty for nothing.
func breaksTable(table, clause string) string {
	upper := strings.ToUpper(clause)
	column := addColumn.FindStringSubmatch(clause)
	switch {
	case strings.HasPrefix(upper, "ADD CONSTRAINT"), strings.HasPrefix(upper, "ADD CHECK"), strings.HasPrefix(upper, "ADD UNIQUE"),
		strings.HasPrefix(upper, "ADD PRIMARY"), strings.HasPrefix(upper, "ADD FOREIGN"):
		return fmt.Sprintf("%s on %s", strings.Join(strings.Fields(upper)[:2], " "), table)
	case column != nil && strings.Contains(upper, "NOT NULL") && !strings.Contains(upper, " DEFAULT "):
		return fmt.Sprintf("ADD COLUMN %s.%s, NOT NULL without DEFAULT", table, column[1])
	case column != nil && (strings.Contains(upper, " UNIQUE") || strings.Contains(upper, "PRIMARY KEY")):
		return fmt.Sprintf("ADD COLUMN %s.%s, which is unique", table, column[1])
	case strings.HasPrefix(upper, "DROP COLUMN"), strings.HasPrefix(upper, "RENAME"), strings.HasPrefix(upper, "ALTER"), strings.HasPrefix(upper, "DROP"):
		words := strings.Fields(clause)
		return fmt.Sprintf("%s %s.%s", strings.ToUpper(strings.Join(words[:2], " ")), table, strings.Join(words[2:], " "))
	}
	return ""
}

func TestWhatBreaksTheVersionBeforeIsFound(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		"ALTER TABLE token DROP COLUMN scope;":                             "DROP COLUMN token.scope",
		"ALTER TABLE token RENAME COLUMN a TO b;":                          "RENAME COLUMN token.a TO b",
		"ALTER TABLE token RENAME TO tokens;":                              "RENAME TO token.tokens",
		"alter table token\n  add column x bigint not null;":               "ADD COLUMN token.x, NOT NULL without DEFAULT",
		"ALTER TABLE token ADD COLUMN y TEXT, ADD COLUMN x TEXT NOT NULL;": "ADD COLUMN token.x, NOT NULL without DEFAULT",
		"ALTER TABLE token ADD COLUMN x TEXT UNIQUE;":                      "ADD COLUMN token.x, which is unique",
		"ALTER TABLE token ALTER COLUMN x SET NOT NULL;":                   "ALTER COLUMN token.x SET NOT NULL",
		"ALTER TABLE token ALTER COLUMN x TYPE BIGINT;":                    "ALTER COLUMN token.x TYPE BIGINT",
		"ALTER TABLE token ADD CONSTRAINT c CHECK (x > 0);":                "ADD CONSTRAINT on token",
		"DROP TABLE token;":                                                "DROP TABLE token",
		"DELETE FROM token;":                                               "DELETE FROM token",
		"DROP INDEX token_name;":                                           "DROP INDEX token_name",
		"CREATE UNIQUE INDEX token_name ON token (name);":                  "CREATE UNIQUE INDEX on token",
		"CREATE TABLE a (x TEXT); -- a; b\nDROP TABLE token;":              "DROP TABLE token",
	} {
		require.Equal(t, []string{want}, breaks("-- +goose Up\n"+statement), statement)
	}
	for _, statement := range []string{
		"ALTER TABLE token ADD COLUMN x BIGINT NOT NULL DEFAULT 0;",
		"ALTER TABLE token ADD COLUMN x TEXT NOT NULL DEFAULT 'a' CHECK (x IN ('a', 'b'));",
		"ALTER TABLE token ADD COLUMN x BIGINT;",
		"CREATE TABLE a (x TEXT NOT NULL UNIQUE); CREATE UNIQUE INDEX a_x ON a (x); ALTER TABLE a ADD COLUMN y TEXT NOT NULL; DROP TABLE a;",
		"CREATE INDEX token_name ON token (name);",
		"UPDATE token SET x = 1; INSERT INTO token (x) VALUES (1);",
	} {
		require.Empty(t, breaks("-- +goose Up\n"+statement), statement)
	}
}
