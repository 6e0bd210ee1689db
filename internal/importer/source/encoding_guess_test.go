package source

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func TestEncodingsOfOtherScriptsAreGuessedAndSaidToBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		encoding.Encoding
		text string
	}{
		"shift_jis":    {japanese.ShiftJIS, "name,city\n山田製作所株式会社,大阪市\nテクノロジーズ,東京都\n"},
		"euc-jp":       {japanese.EUCJP, "name,city\n山田のサービス,おおさか\nテクノロジー,東京\n"},
		"gb18030":      {simplifiedchinese.GB18030, "name,city\n山东机械有限公司,济南市\n北京软件股份有限公司,北京\n"},
		"big5":         {traditionalchinese.Big5, "name,city\n台灣機械股份有限公司,台北市\n高雄電子,高雄\n"},
		"euc-kr":       {korean.EUCKR, "name,city\n한국기계주식회사,서울\n부산전자,부산\n"},
		"windows-1251": {charmap.Windows1251, "name,city\nСтальной завод АО,Москва\nТехника ООО,Казань\n"},
		"koi8-r":       {charmap.KOI8R, "name,city\nСтальной завод АО,Москва\nТехника ООО,Казань\n"},
		"windows-1253": {charmap.Windows1253, "name,city\nΜηχανές Αθηνών,Αθήνα\n"},
		"windows-1255": {charmap.Windows1255, "name,city\nמכונות תל אביב,תל אביב\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := c.NewEncoder().String(c.text)
			require.NoError(t, err)
			want, _, err := records(t, "a.csv", c.text, Options{})
			require.NoError(t, err)
			got, notices, err := records(t, "a.csv", content, Options{})
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Len(t, notices, 1)
			require.Contains(t, notices[0], "is read as "+name+", which is a guess")
			require.Contains(t, notices[0], "--encoding ")
		})
	}
}

func TestLatinTextIsNotTakenForAnotherScript(t *testing.T) {
	t.Parallel()
	text := "name,city\nKöln Chemie,Köln\nÉclair Société,Genève\nÅsa Öl AB,Malmö\nSão João,Évora\nIgnêz Münch,Zürich\nNaïve “Œuvre” – Café,Orléans\n"
	for _, e := range []encoding.Encoding{charmap.Windows1252, charmap.Macintosh} {
		content, err := e.NewEncoder().String(text)
		require.NoError(t, err)
		require.Nil(t, guessEncoding([]byte(content)))
	}
	require.Nil(t, guessEncoding([]byte(strings.Repeat("山田製作所,Москва,Köln\n", 50))))
}
