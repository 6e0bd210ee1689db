package importer_test

import "testing"

// Companies are the same facts under the headers of other languages.
func TestColumnsAreRecognisedInManyLanguages(t *testing.T) {
	t.Parallel()
	all := facts{"employees": "120", "founded": "1999"}
	with := func(more facts) []facts {
		out := facts{}
		for _, f := range []facts{all, more} {
			for k, v := range f {
				out[k] = v
			}
		}
		return []facts{out}
	}
	for _, tr := range []trait{
		{
			"Russian", csvFile("Название компании;Город;Страна;Сайт;Отрасль;Количество сотрудников;Год основания", "Ромашка ООО;Москва;Россия;romashka.example;Торговля;120;1999"),
			with(facts{"name": "Ромашка ООО", "country": "RU", "city": "Москва", "industries": "Торговля", "website": "romashka.example"}), nil,
		},
		{
			"Polish", csvFile("Nazwa firmy;Miasto;Województwo;Kraj;Branża;Liczba pracowników;Data założenia;Forma prawna", "Kwiat;Łódź;łódzkie;Polska;Handel;120;12.05.1999;sp. z o.o."),
			with(facts{"name": "Kwiat", "country": "PL", "city": "Łódź", "state": "łódzkie", "industries": "Handel", "@Forma prawna": "sp. z o.o."}), nil,
		},
		{
			"Czech", csvFile("Název společnosti;Obec;Země;Počet zaměstnanců;Datum vzniku", "Květa s.r.o.;Brno;Česko;120;1.1.1999"),
			with(facts{"name": "Květa s.r.o.", "country": "CZ", "city": "Brno"}), nil,
		},
		{
			"Swedish", csvFile("Företag,Ort,Land,Bransch,Antal anställda,Grundat,Bolagsform", "Norr AB,Umeå,Sverige,Skog,120,1999,Aktiebolag"),
			with(facts{"name": "Norr AB", "country": "SE", "city": "Umeå", "industries": "Skog", "@Bolagsform": "Aktiebolag"}), nil,
		},
		{
			"Danish", csvFile("Virksomhed;By;Land;Branche;Antal ansatte;Stiftet;Hjemmeside", "Nord ApS;Aarhus;Danmark;Handel;120;1999;nord.example"),
			with(facts{"name": "Nord ApS", "country": "DK", "city": "Aarhus", "industries": "Handel", "website": "nord.example"}), nil,
		},
		{
			"Finnish", csvFile("Yritys,Kotipaikka,Maa,Toimiala,Henkilöstömäärä,Perustamisvuosi", "Pohja Oy,Turku,Suomi,Kauppa,120,1999"),
			with(facts{"name": "Pohja Oy", "country": "FI", "city": "Turku", "industries": "Kauppa"}), nil,
		},
		{
			"Turkish", csvFile("Şirket Adı;Şehir;Ülke;Sektör;Çalışan Sayısı;Kuruluş Yılı", "Gül A.Ş.;İzmir;Türkiye;Tekstil;120;1999"),
			with(facts{"name": "Gül A.Ş.", "country": "TR", "city": "İzmir", "industries": "Tekstil"}), nil,
		},
		{
			"Spanish", csvFile("Razón Social;Localidad;Provincia;País;Actividad;Nº empleados;Fecha constitución", "Flores SL;Getafe;Madrid;España;Comercio;120;03/02/1999"),
			with(facts{"name": "Flores SL", "country": "ES", "city": "Getafe", "state": "Madrid", "industries": "Comercio"}), nil,
		},
		{
			"German", csvFile("Gesellschaft;Ort;Land;Branche;Mitarbeiter von;Mitarbeiter bis;Gründung", "Alpha Bau;Ulm;Deutschland;Bau;120;200;12.03.1999"),
			with(facts{"name": "Alpha Bau", "country": "DE", "city": "Ulm", "industries": "Bau"}), nil,
		},
		{
			"Greek", csvFile("Επωνυμία,Πόλη,Χώρα,Αριθμός εργαζομένων,Έτος ίδρυσης", "Λουλούδι ΑΕ,Αθήνα,Ελλάδα,120,1999"),
			with(facts{"name": "Λουλούδι ΑΕ", "country": "GR", "city": "Αθήνα"}), nil,
		},
		{
			"Arabic", csvFile("اسم الشركة,المدينة,الدولة,عدد الموظفين,سنة التأسيس", "شركة الزهور,دبي,الإمارات العربية المتحدة,120,1999"),
			with(facts{"name": "شركة الزهور", "country": "AE", "city": "دبي"}), nil,
		},
		{
			"Russian contacts", csvFile("ФИО;Должность;Компания;Email", "Иванов Иван;Директор;ООО Ромашка;ivanov@romashka.example", "Петров Пётр;Менеджер;ООО Ромашка;petrov@romashka.example"),
			[]facts{{"name": "ООО Ромашка", "@ФИО": "Иванов Иван"}},
			nil,
		},
		{
			"Polish contacts beside a bare name", csvFile("Imię;Nazwisko;Stanowisko;Nazwa;E-mail", "Jan;Kowalski;Dyrektor;Kwiat Sp. z o.o.;jan@kwiat.example", "Ewa;Nowak;Kierownik;Kwiat Sp. z o.o.;ewa@kwiat.example"),
			[]facts{{"name": "Kwiat Sp. z o.o.", "@Imię": "Jan"}},
			nil,
		},
	} {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			tr.check(t)
		})
	}
}
