package company

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// SiteDomain returns the domain of the company whose website the URL is: its host without the subdomains that are usual
// on company sites (www2, careers, corporate, investors …). It returns false for a page on another company's site: a social
// profile, an app store, a job board, a link shortener, or a careers site with its own domain, and for a host that is not on the public
// internet.
func SiteDomain(url string) (string, bool) {
	host, ok := CleanDomain(url)
	if !ok || isShared(host, url) || !KnownSuffix(host) {
		return "", false
	}
	suffix, _ := publicsuffix.PublicSuffix(host)
	if host == suffix {
		if strings.Contains(suffix, ".") {
			return "", false
		}
		return host, true // a brand's own top-level domain
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host, true
	}
	if isCareersSite(own) {
		return "", false
	}
	labels := strings.Split(strings.TrimSuffix(strings.TrimSuffix(host, own), "."), ".")
	if slices.ContainsFunc(labels, func(l string) bool { return careersLabels[l] }) {
		return own, true
	}
	for host != own {
		label, rest, _ := strings.Cut(host, ".")
		if !frontLabels[label] {
			break
		}
		host = rest
	}
	return host, true
}

// isShared reports whether the host serves pages of many companies. The front page of such a site belongs to its owner.
func isShared(host, url string) bool {
	for h := host; strings.Contains(h, "."); {
		if elsewhere[h] {
			return h != host || !isFrontPage(url) || alwaysElsewhere[h]
		}
		_, h, _ = strings.Cut(h, ".")
	}
	return false
}

func isFrontPage(url string) bool {
	if _, rest, ok := strings.Cut(url, "//"); ok {
		url = rest
	}
	i := strings.IndexAny(url, "/?#")
	return i < 0 || strings.Trim(url[i:], "/#?") == ""
}

// isCareersSite reports whether the domain is only about jobs, such as acmecareers.com or acme.jobs.
func isCareersSite(own string) bool {
	label, suffix, _ := strings.Cut(own, ".")
	if suffix == "jobs" || suffix == "careers" {
		return true
	}
	for _, end := range []string{"careers", "-jobs", "-career"} {
		if len(label) > len(end) && strings.HasSuffix(label, end) {
			return true
		}
	}
	return false
}

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

var (
	careersLabels = setOf(`career careers job jobs karriere karriar carriere carrieres emploi recrutement empleo carreiras
		lavoraconnoi werkenbij vacatures vacancies recruiting recruitment recruit talent hiring apply joinus workwithus`)
	frontLabels = setOf(`www www1 www2 www3 ww2 web home m mobile corporate corp company group global international about
		aboutus info ir ri investor investors investorrelations en de fr es it nl pt ja us uk`)

	// alwaysElsewhere are link shorteners and trackers: not even their front page is a company's website.
	alwaysElsewhere = setOf(`bit.ly goo.gl goo.gle t.co tinyurl.com ow.ly buff.ly lnkd.in rebrand.ly is.gd cutt.ly shorturl.at
		rb.gy tiny.cc short.io bl.ink soo.gd adf.ly dlvr.it ift.tt amzn.to fb.me youtu.be g.co aka.ms doubleclick.net t.me wa.me
		linktr.ee web.app`)
	elsewhere = func() map[string]bool {
		m := setOf(`linkedin.com facebook.com fb.com twitter.com x.com instagram.com youtube.com tiktok.com pinterest.com
			threads.net mastodon.social xing.com vk.com weibo.com reddit.com medium.com substack.com quora.com telegram.org
			discord.com discord.gg angel.co wellfound.com crunchbase.com pitchbook.com owler.com zoominfo.com glassdoor.com
			indeed.com ycombinator.com producthunt.com g2.com capterra.com trustpilot.com yelp.com
			github.com gitlab.com bitbucket.org huggingface.co wikipedia.org wikidata.org
			apps.apple.com itunes.apple.com play.google.com chrome.google.com docs.google.com drive.google.com
			sites.google.com maps.google.com forms.gle google.com notion.so notion.site carrd.co about.me
			licdn.com twimg.com fbcdn.net gravatar.com googleusercontent.com ggpht.com imgur.com res.cloudinary.com logo.clearbit.com
			talent.stackoverflow.com opensea.io etsy.com amazon.com ebay.com alibaba.com
			wordpress.com tumblr.com blogger.com weebly.com wixsite.com linktr.ee t.me wa.me rakuten.co.jp ameblo.jp
			tripadvisor.com booking.com doctolib.fr pagesjaunes.fr gelbeseiten.de paginegialle.it paginasamarillas.es yell.com
			mercadolibre.com mercadolivre.com.br
			companieshouse.gov.uk find-and-update.company-information.service.gov.uk archive.org calendly.com
			lever.co greenhouse.io myworkdayjobs.com jobsoid.com smartrecruiters.com recruitee.com ashbyhq.com breezy.hr
			bamboohr.com workable.com teamtailor.com jobvite.com icims.com taleo.net personio.de personio.com join.com
			applytojob.com oraclecloud.com successfactors.com successfactors.eu eightfold.ai`)
		for h := range alwaysElsewhere {
			m[h] = true
		}
		return m
	}()
)

// KnownSuffix reports whether the host is under a top-level domain of the public suffix list, or one reserved for examples.
func KnownSuffix(host string) bool {
	suffix, icann := publicsuffix.PublicSuffix(host)
	return icann || strings.Contains(suffix, ".") || suffix == "example" || suffix == "test"
}
