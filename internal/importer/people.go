package importer

import (
	"regexp"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// firmWords are words in the names of columns with the names of companies. A column with a bare Name beside one of them
// most likely has the names of people or products.
var firmWords = wordSet(`company companies companyname organization organizations organisation organisations org employer account
	firm startup corporation business enterprise issuer
	firma firmenname unternehmen unternehmensname entreprise societe empresa compania azienda bedrijf bedrijfsnaam
	会社名 企業名 社名 法人名 公司名称 公司名 公司 企业名称 회사명 기업명 회사` + moreFirmWords)

// personWords are names of columns that only a list of people has.
var personWords = wordSet(`first_name firstname last_name lastname surname given_name family_name middle_name forename
	job_title jobtitle seniority contact_name contact_person contact_first_name contact_last_name person person_name
	contact_title lead_name
	vorname nachname ansprechpartner prenom nom_de_famille apellido apellidos sobrenome cognome voornaam achternaam
	氏名 担当者 姓名 联系人 담당자` + morePersonWords)

// firstNameColumns hold the first names of people.
var firstNameColumns = wordSet(`first_name firstname given_name forename contact_first_name vorname prenom voornaam
	имя ім_я imie jmeno meno fornamn fornavn etunimi keresztnev prenume ad nama_depan ονομα`)

// contactColumns hold the name of the person at the company that another column names.
var contactColumns = wordSet(`contact_name contact_person contact contact_first_name contact_last_name lead_name ansprechpartner
	担当者 联系人 담당자` + moreContacts)

// titleColumns may hold the job titles of people.
var titleColumns = wordSet(`title job_title jobtitle position role designation function job contact_title current_title headline
	poste fonction cargo puesto ruolo funktion functie` + moreTitles)

var jobTitle = regexp.MustCompile(`(?i)\b(c[etfmoipsr]o|chief|[es]?vp|vice president|president|director|manager|head of|(co-?)?founder|owner|` +
	`engineer|developer|analyst|consultant|officer|executive|assistant|associate|specialist|recruiter|buyer|lead|partner|` +
	`gesch[aä]ftsf[uü]hrer(in)?|leiter(in)?|inhaber(in)?|vorstand|directeur|directrice|g[eé]rante?|responsable|pdg|` +
	`gerente|directora?|jefe|diretora?|direttore|amministratore|titolare|fundador|s[oó]cio)\b|社長|部長|課長|取締役|经理|总监|대표|이사`)

func wordSet(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		if !isASCII(w) {
			w = normalName(w)
		}
		m[w] = true
	}
	return m
}

// findPeople recognises records of people. Their names are not names of companies: a column that names the company wins,
// else the company is known by its domain alone. Several people of one company are one company.
func (p *plan) findPeople(s *sample) {
	if s.connections {
		return
	}
	var bare, firm []*sampledColumn
	for _, c := range s.columns {
		switch t := p.targets[c.name]; {
		case t.column == colName && c.by == ByYou:
			return
		case t.column != colName:
		case c.namesFirms():
			firm = append(firm, c)
		case isBareName(c.name):
			bare = append(bare, c)
		}
	}
	evidence := p.personEvidence(s)
	switch {
	case len(firm) > 0 && len(bare) > 0:
		if p.firmShare(s, bare[0]) > p.firmShare(s, firm[0])+0.2 || !evidence && sameValues(bare[0], firm[0]) {
			return
		}
		p.drop(bare, "the names of people or products, as there is a column of companies")
		p.contacts = true
	case len(firm) > 0:
		p.contacts = evidence
	case len(bare) > 0 && p.namesPeople(s, bare[0]):
		p.drop(bare, "the names of people")
		p.contacts = true
		p.domainFromMail(s)
	case len(bare) > 0 && s.find(firstNameColumns) != nil:
		p.contacts = true
	}
}

// namesPeople reports whether the only column of names contains people's names, judging by the other columns.
func (p *plan) namesPeople(s *sample, names *sampledColumn) bool {
	if s.find(contactColumns) != nil || p.firmShare(s, names) >= 0.3 {
		return false // the person has a column of its own
	}
	if first := s.find(firstNameColumns); first != nil {
		return names.contains(first)
	}
	for _, c := range s.columns {
		n := normalName(c.name)
		switch {
		case c == names || len(c.values) == 0:
		case titleColumns[n] && c.share(jobTitle.MatchString) >= 0.5,
			p.targets[c.name].column == colLinkedIn && c.share(isProfile) >= 0.5,
			c.share(isMail) >= guessShareMin && names.mailedTo(c):
			return true
		}
	}
	return false
}

// mailedTo reports whether most names occur in the email address of their record, before the @.
func (c *sampledColumn) mailedTo(mails *sampledColumn) bool {
	boxes := map[int]string{}
	for i, v := range mails.values {
		box, _, _ := strings.Cut(v, "@")
		boxes[mails.rows[i]] = text.Fold(box)
	}
	n := 0
	for i, v := range c.values {
		words := text.Tokens(v)
		box := boxes[c.rows[i]]
		if len(words) >= 2 && (len(words[0]) > 2 && strings.Contains(box, words[0]) ||
			len(words[len(words)-1]) > 2 && strings.Contains(box, words[len(words)-1])) {
			n++
		}
	}
	return 2*n > len(c.values)
}

// personEvidence reports whether the records are of people: by names of columns, email
// addresses, job titles or profiles of people.
func (p *plan) personEvidence(s *sample) bool {
	for _, c := range s.columns {
		n := normalName(c.name)
		switch {
		case len(c.values) == 0:
		case personWords[n], c.share(isPersonsMail) >= guessShareMin, titleColumns[n] && c.share(jobTitle.MatchString) >= 0.5, c.share(isProfile) >= 0.5:
			return true
		}
	}
	return false
}

// dropPersons keeps what is of the person in records of people: the id and what the person writes about themself.
func (p *plan) dropPersons(s *sample) {
	if !p.contacts {
		return
	}
	for _, c := range s.columns {
		t := p.targets[c.name]
		switch n := normalName(c.name); {
		case c.by != ByName:
		case t.column == colID && personIDs[n] && p.severalIDs(s, c):
			p.drop([]*sampledColumn{c}, "the id of the person, not of the company")
		case t.column == colDescription && personTexts[n]:
			p.drop([]*sampledColumn{c}, "the text of the person, not of the company")
		}
	}
}

// severalIDs reports whether a company of several records has another value of the column in each.
func (p *plan) severalIDs(s *sample, ids *sampledColumn) bool {
	of := map[int]string{}
	for i, v := range ids.values {
		of[ids.rows[i]] = v
	}
	for _, c := range s.columns {
		if p.targets[c.name].column != colName {
			continue
		}
		first := map[string]string{}
		for i, v := range c.values {
			id, name := of[c.rows[i]], text.Fold(v)
			if have := first[name]; have != "" && id != "" && have != id {
				return true
			}
			first[name] = id
		}
	}
	return false
}

var (
	personIDs   = wordSet("id uuid external_id")
	personTexts = wordSet("summary bio about about_me headline profile_text")
)

// drop keeps the columns as attributes.
func (p *plan) drop(columns []*sampledColumn, why string) {
	for _, c := range columns {
		delete(p.targets, c.name)
		c.by, c.confidence, c.note = ByValues, 0.9, why
		p.targets[c.name] = target{}
	}
}

// domainFromMail reads the domain from the email addresses if there is no other.
func (p *plan) domainFromMail(s *sample) {
	if p.has(colDomain) || p.has(colWebsite) {
		return
	}
	for _, c := range s.columns {
		if _, taken := p.targets[c.name]; !taken && len(c.values) > 0 && c.share(isMail) >= guessShareMin {
			p.assign(c, target{alias: alias{column: colDomain, rank: strippedRank}}, ByValues, 0.7)
			return
		}
	}
}

// namesFirms reports whether the column's name says that its values are companies.
func (c *sampledColumn) namesFirms() bool {
	for w := range strings.SplitSeq(normalName(c.name), "_") {
		if firmWords[w] {
			return true
		}
	}
	return false
}

// bareNames are names of columns that may be names of anything.
var bareNames = wordSet("name names full_name display_name title nombre nome nom naam название наименование назва nazwa nazev nazov navn namn nimi denumire")

func isBareName(name string) bool {
	n := normalName(name)
	for _, prefix := range []string{"profile_", "info_", "details_", "data_", "properties_"} {
		n = strings.TrimPrefix(n, prefix)
	}
	return bareNames[strings.TrimRight(n, "_1")]
}

// find returns the first column with one of the names; nil if there is none.
func (s *sample) find(names map[string]bool) *sampledColumn {
	for _, c := range s.columns {
		if names[normalName(c.name)] && len(c.values) > 0 {
			return c
		}
	}
	return nil
}

// firmShare returns the share of the values that have a legal form, or are named in the domain of their record.
func (p *plan) firmShare(s *sample, names *sampledColumn) float64 {
	hosts := map[int]string{}
	for _, c := range s.columns {
		t := p.targets[c.name].column
		if t != colDomain && t != colWebsite && c.share(isMail) < guessShareMin {
			continue
		}
		for i, v := range c.values {
			if host, ok := company.CleanDomain(v); ok && hosts[c.rows[i]] == "" && !isWebmail(host) {
				hosts[c.rows[i]] = host
			}
		}
	}
	n := 0
	for i, v := range names.values {
		words := text.Tokens(v)
		if len(words) == 0 {
			continue
		}
		label, _, _ := strings.Cut(hosts[names.rows[i]], ".")
		if len(words) > 1 && isLegalForm(words[len(words)-1]) || len(words[0]) > 2 && strings.Contains(label, words[0]) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(names.values)))
}

// sameValues reports whether both columns have the same values in most records.
func sameValues(a, b *sampledColumn) bool {
	have := map[int]string{}
	for i, v := range a.values {
		have[a.rows[i]] = text.Fold(v)
	}
	n := 0
	for i, v := range b.values {
		if have[b.rows[i]] == text.Fold(v) {
			n++
		}
	}
	return 10*n >= 8*len(b.values)
}

// contains reports whether most values contain that of the other column in the same record.
func (c *sampledColumn) contains(part *sampledColumn) bool {
	whole := map[int]string{}
	for i, v := range c.values {
		whole[c.rows[i]] = text.Fold(v)
	}
	n := 0
	for i, v := range part.values {
		if strings.Contains(whole[part.rows[i]], text.Fold(v)) {
			n++
		}
	}
	return 2*n >= len(part.values)
}

// isPersonsMail reports whether v is an e-mail address, and most likely that of a person rather than of a company.
func isPersonsMail(v string) bool {
	box, _, _ := strings.Cut(text.Fold(v), "@")
	return isMail(v) && !sharedBoxes[box]
}

// sharedBoxes are mailboxes that companies have.
var sharedBoxes = wordSet(`info contact contacts contacto contatto contato kontakt hello hi hallo hola ciao bonjour office mail email post
	sales vertrieb ventas vendas vendite support help service kundenservice admin administration team marketing press presse media
	careers jobs hr recruiting billing accounts accounting invoice enquiries inquiries general reception webmaster secretariat
	sekretariat buchhaltung comercial commercial company firma zentrale`)

func isMail(v string) bool {
	name, host, found := strings.Cut(strings.TrimSpace(v), "@")
	return found && name != "" && isAddress(host) && !strings.ContainsAny(v, " /")
}

// isCompanyPage reports whether v is the page of a company on LinkedIn.
func isCompanyPage(v string) bool {
	v = strings.ToLower(v)
	return strings.Contains(v, "linkedin.com/company/") || strings.Contains(v, "linkedin.com/sales/company/") || strings.Contains(v, "linkedin.com/school/") || strings.Contains(v, "linkedin.com/showcase/")
}

// companyPage returns the address of a page on LinkedIn of which a source may have only the end: company/acme. A page of Sales
// Navigator, which only its users can open, has the number of the company's own page.
func companyPage(column, v string) string {
	v = strings.TrimSpace(v)
	switch {
	case strings.Contains(v, "/sales/") && salesPage.MatchString(v):
		return "https://www.linkedin.com/company/" + salesPage.FindStringSubmatch(v)[1]
	case strings.HasPrefix(v, "company/"), strings.HasPrefix(v, "school/"), strings.HasPrefix(v, "showcase/"):
		return "https://www.linkedin.com/" + v
	case v != "" && strings.HasSuffix(normalName(column), "handle") && !strings.ContainsAny(v, "./ "):
		return "https://www.linkedin.com/company/" + v
	}
	return v
}

var salesPage = regexp.MustCompile(`(?i)^(?:https?://)?(?:www\.)?linkedin\.com/sales/company/(\d+)`)

// isProfile reports whether v is the LinkedIn profile of a person.
func isProfile(v string) bool {
	v = strings.ToLower(v)
	for _, path := range []string{"linkedin.com/in/", "linkedin.com/pub/", "linkedin.com/sales/people/", "linkedin.com/sales/lead/"} {
		if strings.Contains(v, path) {
			return true
		}
	}
	return false
}
