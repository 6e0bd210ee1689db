package source

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALinkIsTakenApart(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][2]string{
		`=HYPERLINK("https://acme.com","Acme")`:                                  {"Acme", "https://acme.com"},
		`= hyperlink( "https://acme.com" ; "The ""A"" Team" )`:                   {`The "A" Team`, "https://acme.com"},
		`=ГИПЕРССЫЛКА("https://acme.com";"Акме")`:                                {"Акме", "https://acme.com"},
		`=HIPERŁĄCZE("acme.com/de";"Acme")`:                                      {"Acme", "acme.com/de"},
		`=HYPERLINK("https://acme.com")`:                                         {"https://acme.com", ""},
		`=HYPERLINK("https://acme.com",A7)`:                                      {"https://acme.com", ""},
		`=HYPERLINK("https://www.acme.com/","acme.com")`:                         {"acme.com", ""},
		`=HYPERLINK("#Sheet2!A1","Acme")`:                                        {"Acme", ""},
		`=HYPERLINK("notes.docx","Acme")`:                                        {"Acme", ""},
		`=HYPERLINK("mailto:ada@acme.com","Write to us")`:                        {"ada@acme.com", ""},
		`<a href="https://acme.com/?a=1&amp;b=2">Acme &amp; Co</a>`:              {"Acme & Co", "https://acme.com/?a=1&b=2"},
		`<p>&nbsp;</p><a href='https://acme.com'>Acme</a>`:                       {"", ""},
		"<a\nclass=x target=_blank href=https://acme.com>\n<img src=x>Acme</a> ": {"Acme", "https://acme.com"},
		`<A HREF="https://a.com">A</A><br/><A HREF="/b">B</A>`:                   {"A; B", "https://a.com"},
		`&lt;a href=&quot;https://acme.com&quot;&gt;Acme&lt;/a&gt;`:              {"Acme", "https://acme.com"},
		`[Acme](https://acme.com "The site")`:                                    {"Acme", "https://acme.com"},
		`[Acme](<https://acme.com>)`:                                             {"Acme", "https://acme.com"},
		`Acme Ltd (https://acme.com)`:                                            {"Acme Ltd", "https://acme.com"},
		`Acme <https://acme.com>`:                                                {"Acme", "https://acme.com"},
		`<https://acme.com>`:                                                     {"https://acme.com", ""},
		`=SUM(A1:A9)`:                                                            {"", ""},
		`=HYPERLINK("https://acme.com","Acme")&" Ltd"`:                           {"", ""},
		`[Acme](the first)`:                                                      {"", ""},
		`We sell <a href="https://acme.com">tools</a> to all`:                    {"", ""},
		`See https://acme.com and more (https://bolt.com)`:                       {"", ""},
		`A <b> company`:        {"", ""},
		`Acme (Holdings)`:      {"", ""},
		`<a name="x">Acme</a>`: {"", ""},
	} {
		shown, address, ok := splitLink(value)
		require.Equal(t, want, [2]string{shown, address}, value)
		require.Equal(t, want != [2]string{}, ok, value)
	}
}

func TestAValueIsTakenApartEachTimeItIsRead(t *testing.T) {
	t.Parallel()
	own := Field{"name", Value{Kind: Text, Text: `<a href="https://acme.com">Acme</a>`}}
	chunk := linkedChunk{&objectChunk{rows: [][]Field{{own}}}, testSchema{}}
	for range 2 {
		chunk.Records(func(r *Record) {
			require.Equal(t, []Field{{"name", Value{Kind: Text, Text: "Acme"}}, {"name link", Value{Kind: Text, Text: "https://acme.com"}}}, r.Fields)
		})
	}
}
