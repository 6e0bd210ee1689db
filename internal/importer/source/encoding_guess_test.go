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
		"windows-1250": {charmap.Windows1250, "name,city\nSpółka Wędliniarska,Białystok\nZakład Śrubowy,Łódź\n"},
		"iso-8859-2":   {charmap.ISO8859_2, "name,city\nStrojírna Přešov,České Budějovice\nPekařství Žižka,Plzeň\nTiskárna Košík,Děčín\n"},
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

func TestEncodingsOfCentralEuropeAreGuessedByWhereCompaniesAreFrom(t *testing.T) {
	t.Parallel()
	for language, text := range map[string]string{
		"Czech":     "name,website\nStrojírna Přerov s.r.o.,strojirna.example\nPekařství Dvořák,https://pekarstvi.cz\nDřevovýroba Mikeš a.s.,\nTiskárna Věra,tiskarna.cz\n",
		"Hungarian": "name,city\nErdőgép Kft.,Szeged\nMezőtúr Gyár,Budapest\nHűtőház Zrt.,Győr\n",
		"Croatian":  "name,country\nGrađevina d.o.o.,Croatia\nMlječni put d.o.o.,Croatia\nVoćnjak,Croatia\n",
	} {
		content, err := charmap.Windows1250.NewEncoder().String(text)
		require.NoError(t, err)
		require.NotNil(t, guessEncoding([]byte(content)), language)
		require.Equal(t, "windows-1250", guessEncoding([]byte(content)).name, language)
	}
	for language, text := range map[string]string{
		"Danish":     "name,city\nSørensen A/S,København\nKjær Møbler,Næstved\nBrødrene Bøgh,Hjørring\nPraha Køkken,Brønshøj\n",
		"Estonian":   "name,city\nPõhja Tõstuk,Tõrva\nJõe Põld,Põlva\nSõle Võrk,Võru\n",
		"Italian":    "name,city\nCittàmoda,Forlì\nCaffèlatte,Cantù\nPerché sì,Mondovì\n",
		"Portuguese": "name,city\nCorações Unidos,São João\nPadarias São Tomé,Évora\nAviões Brasil,Timóteo\nNº 1ª Opção,Marília\n",
		"volumes":    "name,description\nBolt,stores 500 m³ of gas\nCog,pumps 30 m³/h\nDent,¿Qué? 20 m³\nÉclair,½ price\n",
	} {
		for _, e := range []encoding.Encoding{charmap.Windows1252, charmap.Macintosh} {
			content, err := encoding.ReplaceUnsupported(e.NewEncoder()).String(text)
			require.NoError(t, err)
			require.Nil(t, guessEncoding([]byte(content)), language)
		}
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
