package text_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/text"
)

func TestFoldMakesSpellingsOneSpelling(t *testing.T) {
	t.Parallel()
	for want, spellings := range map[string][]string{
		"":                 {"", " ", "\t\n", "\u00a0", "\u200b", "\x00"},
		"zurich":           {"Zürich", "ZÜRICH", "Zu\u0308rich", " zurich\n", "Ｚｕｒｉｃｈ", "zu\u00adrich"},
		"strasse":          {"Straße", "STRASSE", "STRAẞE"},
		"lodz":             {"Łódź", "ŁÓDŹ"},
		"kobenhavn":        {"København"},
		"aeroskobing":      {"Ærøskøbing"},
		"istanbul":         {"İstanbul", "ISTANBUL", "istanbul", "ıstanbul"},
		"cote d'ivoire":    {"Côte d’Ivoire", "COTE D'IVOIRE"},
		"jean-luc":         {"Jean–Luc", "Jean‑Luc"},
		"σισυφοσ":          {"ΣΊΣΥΦΟΣ", "Σίσυφος"},
		"и":                {"Й", "и"},
		"fine iv 10":       {"ﬁne Ⅳ １０"},
		"データ":              {"ﾃﾞｰﾀ", "データ"},
		"한국":               {"한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"},
		"हिन्दी":           {"हिन्दी"},
		"ελλαδα":           {"Ελλάδα"},
		"san francisco ca": {"San \u3000 Francisco\r\nCA"},
		"a\ufffdb":         {"a\xffb"},
	} {
		t.Run(want, func(t *testing.T) {
			for _, s := range spellings {
				require.Equal(t, want, text.Fold(s), "%+q", s)
			}
		})
	}
}

// TestFoldTwiceChangesNothing goes through every character that Unicode assigns, alone and behind a letter.
func TestFoldTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	for r := range unicode.MaxRune + 1 {
		if r > 0x33fff && r < 0xe0000 || r > 0xe0fff || !utf8.ValidRune(r) { // the planes without characters, private use
			continue
		}
		for _, s := range []string{string(r), "e" + string(r) + "X"} {
			once := text.Fold(s)
			if twice := text.Fold(once); once != twice {
				t.Fatalf("%U: %+q, then %+q", r, once, twice)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"":                                 "",
		" -,. ":                            "",
		"Data":                             "data",
		"McDonald's Corp.":                 "mcdonald s corp",
		"L'Oréal":                          "l oreal",
		"AT&T, Inc. (2013)":                "at and t inc 2013",
		"snake_case e-mail C++":            "snake case e mail c++",
		"C, C++, C#, F♯ and c++17":         "c c++ c# f# and c++ 17",
		"Ｃ＋＋ and C＃（é）":                    "c++ and c# e",
		"G++, Notepad++, Disney+, A+, D+":  "g++ notepad disney a d",
		"A#12 #12 C#é C#，":                 "a 12 12 c e c#",
		".NET, (.Net) C#.NET, 用.NET开发":     ".net .net c# .net 用 .net 开 发",
		"ASP.NET x.net so...net .nets .né": "asp net x net so net nets ne",
		".NETé .N\u200bET． ＮＥＴ ．net":       "nete .net net .net",
		"$9.99 + 3 # 4 & 5":                "9 99 3 4 and 5",
		"Procter＆Gamble && Co":             "procter and gamble and and co",
		"ŁÓDŹ–Kraków":                      "lodz krakow",
		"cafe\u0301s":                      "cafes",
		"東京データ株式会社":                        "東 京 デ ー タ 株 式 会 社",
		"AI企業 Ltd":                         "ai 企 業 ltd",
		"한국 전력":                            "한 국 전 력",
		"東京・大阪":                            "東 京 大 阪",
		"软件，开发":                            "软 件 , 开 发",
		"软件。\n开发、销售；":                      "软 件 , 开 发 , 销 售",
		"软件 ,开发!":                          "软 件 , 开 发",
		"，。软件（开发）“公司”":                     "软 件 开 发 公 司",
		"软件，AI，开发":                         "软 件 ai 开 发",
		"ﾃﾞｰﾀ､東京｡":                         "デ ー タ , 東 京",
		"한국 전력. 공사":                        "한 국 전 력 , 공 사",
		"software, development":            "software development",
		"हिन्दी भाषा":                      "हिन्दी भाषा",
		"Санкт-Петербург":                  "санкт петербург",
		"½ cup":                            "1 2 cup",
		"bad\xffbytes":                     "bad bytes",
		"tab\tnul\x00line\u2028separator":  "tab nul line separator",
	} {
		t.Run(s, func(t *testing.T) {
			require.Equal(t, want, strings.Join(text.Tokens(s), " "), "%+q", s)
		})
	}
}

// anyText mixes characters that folding treats in different ways.
func anyText() *rapid.Generator[string] {
	special := rapid.SampledFrom([]rune(" -_,.&+#CcNETnet♯＋、。'’AzéÉßŁİıΣςйが\u3099カﾞﾟ한\u1100\u1161\u11a8東\u0301\u0308\u0338=<\u00a0\u200b\ufeff\ufffd\u093c\u0915\u0654\u0627\x00½ﬁ"))
	return rapid.StringOf(rapid.OneOf(special, special, rapid.Rune()))
}

func TestFoldIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { checkFold(t, anyText().Draw(t, "text")) })
}

func TestTokensOfAnySpellingAreThoseOfTheFoldedOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "text")
		require.Equal(t, text.Tokens(text.Fold(s)), text.Tokens(s))
	})
}

func checkFold(t require.TestingT, s string) {
	folded := text.Fold(s)
	require.Equal(t, folded, text.Fold(folded), "%+q", s)
	require.True(t, utf8.ValidString(folded))
	require.NotContains(t, folded, "  ")
	require.Equal(t, strings.TrimSpace(folded), folded)
	require.Equal(t, "dst"+folded, string(text.AppendFold([]byte("dst"), s)))
	for _, word := range slices.DeleteFunc(text.Tokens(s), func(word string) bool { return word == text.Break }) {
		require.NotEmpty(t, word)
		require.Equal(t, []string{word}, text.Tokens(word), "a word is one word")
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "Zürich", "データ ﾃﾞｰﾀ", "e\u0301\u0338=", "\xff\xfe", "0\xf0Ć", "A  B\u00a0", "가\u11a8", "ß\u1e9e\u0130"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkFold(t, s)
		require.Equal(t, text.Tokens(text.Fold(s)), text.Tokens(s))
	})
}

const english = "Shandong Example Wit Science and Technology Co., Ltd. engages in the pharmaceutical and environment " +
	"protection businesses. Its medical products include granules, vitamin AD drops and tablets, sold in 42 countries. "

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{
		"ascii": strings.Repeat(english, 4), "mixed": strings.Repeat(english+"Zürich – café’s “best” ", 4),
		"han": strings.Repeat("山东山大华特科技股份有限公司。", 20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			var dst []byte
			for b.Loop() {
				dst = text.AppendFold(dst[:0], s)
			}
		})
	}
}

func BenchmarkEachToken(b *testing.B) {
	for name, s := range map[string]string{
		"ascii": strings.Repeat(english, 4), "mixed": strings.Repeat(english+"Zürich – café’s “best” ", 4),
		"han": strings.Repeat("山东山大华特科技股份有限公司。", 20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				text.EachToken(s, func(word []byte) { n += len(word) })
			}
		})
	}
}
