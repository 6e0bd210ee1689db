package importer

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// webmailHosts are hosts of mailboxes of people and of small companies.
var webmailHosts = wordSet(`outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.jp outlook.com.br live.com live.co.uk
	live.fr live.de live.it live.nl live.ca live.com.au live.cn msn.com passport.com windowslive.com
	icloud.com me.com mac.com web.de email.de freenet.de t-online.de arcor.de online.de 1und1.de mail.de posteo.de mailbox.org
	orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr numericable.fr club-internet.fr aliceadsl.fr
	libero.it virgilio.it alice.it tin.it tiscali.it tiscali.co.uk fastwebnet.it inwind.it
	telefonica.net terra.es terra.com.br uol.com.br bol.com.br ig.com.br globo.com hotmail.com.br
	sapo.pt mail.pt ziggo.nl kpnmail.nl planet.nl home.nl xs4all.nl hetnet.nl skynet.be telenet.be pandora.be bluewin.ch
	sunrise.ch chello.at aon.at a1.net wp.pl o2.pl onet.pl interia.pl op.pl poczta.fm seznam.cz email.cz centrum.cz
	azet.sk freemail.hu citromail.hu abv.bg mail.bg ukr.net i.ua
	mail.ru inbox.ru list.ru bk.ru rambler.ru ya.ru internet.ru
	proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io fastmail.com fastmail.fm hushmail.com
	zoho.com zohomail.com zohomail.eu mail.com email.com usa.com inbox.com lycos.com excite.com juno.com netzero.net
	comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net optonline.net
	frontier.com windstream.net roadrunner.com rr.com rogers.com shaw.ca sympatico.ca bell.net telus.net videotron.ca
	btinternet.com btopenworld.com sky.com virginmedia.com ntlworld.com blueyonder.co.uk talktalk.net o2.co.uk
	eircom.net bigpond.com bigpond.net.au optusnet.com.au iinet.net.au xtra.co.nz
	qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn 21cn.com aliyun.com
	naver.com hanmail.net daum.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com biglobe.ne.jp
	rediffmail.com indiatimes.com sify.com mweb.co.za webmail.co.za telkomsa.net`)

// webmailLabels are mailboxes under many top-level domains, such as yahoo.fr.
var webmailLabels = wordSet("gmail googlemail yahoo ymail rocketmail hotmail gmx aol yandex protonmail tutanota")

// isWebmail reports whether the host is one of mailboxes.
func isWebmail(host string) bool {
	own, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return false
	}
	label, _, _ := strings.Cut(own, ".")
	return webmailHosts[own] || webmailLabels[label]
}

// siteOwners are the companies that a site belongs to, if the site has another name.
var siteOwners = map[string]string{
	"facebook": "meta", "fb": "meta", "google": "alphabet", "live": "microsoft", "outlook": "microsoft",
	"icloud": "apple", "me": "apple", "mac": "apple", "msn": "microsoft", "wordpress": "automattic", "qq": "tencent",
}

// isOwnSite reports whether the host may be the domain of the company. The host of a mailbox provider or a hosting site counts
// only for the company of the same name; a public suffix never counts.
func isOwnSite(host, name string) bool {
	if suffix, _ := publicsuffix.PublicSuffix(host); suffix == host && strings.Contains(host, ".") {
		return false
	}
	if _, own := company.SiteDomain("https://" + host + "/page"); own && !isWebmail(host) {
		return true
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil || own != host {
		return false
	}
	label, _, _ := strings.Cut(own, ".")
	label = strings.ReplaceAll(label, "-", "")
	folded := strings.Join(text.Tokens(name), "")
	return strings.HasPrefix(folded, label) || siteOwners[label] != "" && strings.HasPrefix(folded, siteOwners[label])
}
