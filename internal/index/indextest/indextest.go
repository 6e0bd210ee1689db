// Package indextest is the contract of index.Index as tests. Every index must answer like query.Match does, for a fixed
// corpus with its searches and for random ones. It does not test the internals of a back end.
package indextest

import (
	"context"
	"testing"

	"github.com/opencapi/capi/internal/index"
)

// Open returns an empty index that is closed at the end of the test.
type Open func(t testing.TB) index.Index

// Keeper is implemented by an index that outlives its process; tests save and restart it at random moments.
type Keeper interface {
	Save(ctx context.Context) error
	// Restart closes the index and opens it again. After a crash, which saves nothing, it may have an earlier Seq.
	Restart(t testing.TB, crash bool) index.Index
}

// Merger is implemented by an index that has several segments; tests call it at random moments.
type Merger interface{ MergeAll() }

// Run tests an index against the contract.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"CorpusAnswersItsSearches":               testCorpus,
		"AnswersEqualMatchUnderRandomChanges":    testRandomChanges,
		"AnswersEqualMatchOnPlausibleCompanies":  testPlausible,
		"AnswersEqualMatchOnRealCompanies":       testReal,
		"CursorsYieldEachMatchOnceUnderChanges":  testCursors,
		"InvalidCursorsAreRefused":               testForeignCursors,
		"ForgottenCursorsContinueAfterTheirKey":  testForgottenCursors,
		"ForgottenCursorsByRelevanceLoseNoMatch": testForgottenRelevance,
		"ReadersNeverWaitOrSeeAPartialApply":     testReaders,
		"NamesRankAboveDescriptions":             testRanking,
		"LargeCompaniesRankFirstAmongEqualNames": testNamesakes,
		"UnknownValuesGetASuggestion":            testLookup,
		"UnknownWordsGetASuggestion":             testUnknownWords,
		"DomainsComeFirst":                       testDomains,
		"FacetsUseTheMostFrequentSpelling":       testSpelling,
		"RegionsOfSetsEqualMatch":                testCompare,
		"PivotsEqualMatch":                       testPivot,
		"PivotsEqualMatchOnPlausibleCompanies":   testPivotPlausible,
		"PivotsEqualMatchHoweverTheyAreCounted":  testPivotLarge,
		"EmptyIndexAnswers":                      testEmpty,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}
